package snakepit

import (
	"testing"
	"time"
)

func quickPace(t *testing.T) *pace {
	t.Helper()
	p := newPace()
	if p.isQuick() {
		t.Fatal("quick before it has run")
	}
	for i := 0; i < 100; i++ {
		p.note(time.Microsecond)
	}
	if !p.isQuick() {
		t.Fatal("not quick after a hundred quick runs")
	}
	return p
}

func TestASingleInterruptionDoesNotMakeACommandSlow(t *testing.T) {
	p := quickPace(t)
	p.note(time.Second)
	if !p.isQuick() {
		t.Fatal("one long run made it slow")
	}
}

func TestACommandThatIsOftenSlowIsNotQuick(t *testing.T) {
	p := quickPace(t)
	for i := 0; i < 100; i++ {
		if i%5 == 0 {
			p.note(time.Millisecond)
		} else {
			p.note(time.Microsecond)
		}
	}
	if p.isQuick() {
		t.Fatal("slow in one run of five, and quick")
	}
}

func TestACommandThatHasHeldOthersUpProvesItselfAnew(t *testing.T) {
	p := quickPace(t)
	p.forget()
	if p.isQuick() {
		t.Fatal("quick at once")
	}
	for i := 0; i < 100; i++ {
		p.note(time.Microsecond)
	}
	if !p.isQuick() {
		t.Fatal("not quick again")
	}
}
