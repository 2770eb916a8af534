package snakepit

import (
	"fmt"

	"nestjs-snakepit/snakepit/internal/codec"
)

const maxAttempts = 1000

// Data is a map that lives in the host, so that it survives this worker; every method asks the host.
type Data struct {
	context *Context
	name    string
}

// Get stores the value of a key in what value points to, and tells whether there is one.
func (d *Data) Get(key string, value any) (bool, error) {
	read, err := d.read(key)
	if err != nil || !read.found {
		return false, err
	}
	return true, codec.Bind(read.value, value, d.name+"."+key)
}

// Set stores a value.
func (d *Data) Set(key string, value any) error {
	_, err := d.ask("session.write", codec.Pair{Key: "key", Value: key}, codec.Pair{Key: "value", Value: value})
	return err
}

// Delete removes a key, and tells whether it existed.
func (d *Data) Delete(key string) (bool, error) {
	value, err := d.ask("session.delete", codec.Pair{Key: "key", Value: key})
	return member(value, "written") == true, err
}

// Keys lists the keys.
func (d *Data) Keys() ([]string, error) {
	value, err := d.ask("session.keys")
	if err != nil {
		return nil, err
	}
	keys := []string{}
	return keys, codec.Bind(value, &keys, "keys")
}

// Update replaces the value of a key atomically by what change makes of it, and returns that. isThere tells whether there was a value; change
// may be called more than once, and an error of its leaves the value alone.
func Update[T any](d *Data, key string, change func(value T, isThere bool) (T, error)) (T, error) {
	var none T
	for attempt := 0; attempt < maxAttempts; attempt++ {
		read, err := d.read(key)
		if err != nil {
			return none, err
		}
		var value T
		if read.found {
			if err := codec.Bind(read.value, &value, d.name+"."+key); err != nil {
				return none, err
			}
		}
		changed, err := change(value, read.found)
		if err != nil {
			return none, err
		}
		answer, err := d.ask("session.write", codec.Pair{Key: "key", Value: key}, codec.Pair{Key: "value", Value: changed},
			codec.Pair{Key: "revision", Value: read.revision})
		if err != nil {
			return none, err
		}
		if member(answer, "written") == true {
			return changed, nil
		}
	}
	return none, fmt.Errorf("the update of %q lost %d races against other writers; write it less often", key, maxAttempts)
}

type reading struct {
	found    bool
	value    any
	revision any
}

func (d *Data) read(key string) (reading, error) {
	value, err := d.ask("session.read", codec.Pair{Key: "key", Value: key})
	return reading{member(value, "found") == true, member(value, "value"), member(value, "revision")}, err
}

func (d *Data) ask(method string, args ...codec.Pair) (any, error) {
	if d.context == nil {
		return nil, fmt.Errorf("the session is over; its data is gone")
	}
	return d.context.ask(method, append(codec.Pairs{{Key: "map", Value: d.name}}, args...))
}

func member(value any, name string) any {
	members, _ := value.(map[string]any)
	return members[name]
}

// Session is a session of the host: its values, and its stored programs.
type Session struct {
	Data
	ID string
	// What is stored as the session's programs.
	Programs *Data
}

func newSession(c *Context, id string) *Session {
	return &Session{Data{c, "metadata"}, id, &Data{c, "programs"}}
}
