/**
 * The guardian: a shell that outlives its host by a moment and takes with it whatever the host has started.
 *
 * It reads lines from its host: `open TOKEN` (processes that carry SNAKEPIT_INSTANCE=TOKEN are the host's), `start PID` and `exit PID` (of
 * the leader of a process group), `sweep MARK…` (kill what carries SNAKEPIT_WORKER_MARK=MARK, of workers that are gone; answered by `swept`),
 * `close TOKEN` (kill what still carries it; answered by `closed TOKEN COUNT`). When the lines end, the host is gone: each group is killed, then whatever carries an open token, in which session ever it is.
 *
 * - The end comes only when nobody holds the pipe any more, so a child that is still between fork and exec has become one that can be told.
 * - Process ids are used again. A group is killed only if its leader began when it was told, or if a member carries a token.
 * - What a worker has left is killed one by one, and with it the groups that it leads: its worker's neighbours may be in its group.
 * - First of all it kills what hosts left behind that are gone without their guardian, and tells `left PID HOST`. A host is known by
 *   SNAKEPIT_HOST (see host-mark.ts); those of other users and of other containers are let alone.
 * - Everything is plain POSIX shell that dash, bash and BusyBox understand; where there is no /proc, only groups are killed.
 *
 * Arguments: the host's mark (or nothing), and the folder for temporary files.
 */
export const GUARDIAN_SCRIPT = String.raw`# nestjs-snakepit: ends what its host has started once that is gone
trap '' HUP INT TERM PIPE
own=$1 tmp=$2 groups= tokens=
own_place=\${own#*.*.}
own_pid=\${own%%.*} own_start=\${own#*.} own_start=\${own_start%%.*}

if [ -r /proc/self/stat ]; then
  look() {
    state= group= start=
    IFS= read -r line <"/proc/$1/stat" || return 1
    set -- \${line##*) }
    state=$1 group=$3 start=\${20}
    [ "$state" != Z ] && [ "$state" != X ]
  }
else
  look() {
    group=$1 start=$(ps -o lstart= -p "$1" | tr ' ' _)
    [ -n "$start" ]
  }
fi

# BusyBox may see no further than the first of the strings that a NUL ends.
if grep -qF SNAKEPIT_GUARDIAN= "/proc/$$/environ"; then
  marked() { grep -lF "$@" /proc/[0-9]*/environ; }
  hosts() { grep -aoE 'SNAKEPIT_HOST=[0-9.]+' /proc/[0-9]*/environ /dev/null; }
else
  marked() {
    for file in /proc/[0-9]*/environ; do
      tr '\0' '\n' <"$file" | grep -qF "$@" && echo "$file"
    done
  }
  hosts() {
    for file in /proc/[0-9]*/environ; do
      tr '\0' '\n' <"$file" | sed -n "s|^SNAKEPIT_HOST=|$file:SNAKEPIT_HOST=|p"
    done
  }
fi

# With the group that it leads or that a dead leader left to it, never with that of somebody who lives; 0 and 1 are no groups to kill(2).
kill_all_of() {
  if look "$1" && [ "$group" -gt 1 ]; then
    whole=$group
    if [ "$whole" = "$1" ] || ! look "$whole"; then kill -9 "-$whole"; fi
  fi
  kill -9 "$1"
}

# Looks once more, since ids are used again.
kill_marked() {
  pid=$1
  shift
  tr '\0' '\n' <"/proc/$pid/environ" | grep -qF "$@" || return
  look "$pid" && [ "$group" = "$pid" ] && kill -9 "-$pid"
  kill -9 "$pid"
}

# Kills what workers left that are gone, until a look finds nothing.
sweep_marks() {
  patterns= pass=0
  for mark in "$@"; do patterns="$patterns -e SNAKEPIT_WORKER_MARK=$mark"; done
  while [ "$pass" -lt 50 ]; do
    found=$(marked $patterns)
    [ -z "$found" ] && return
    for file in $found; do
      pid=\${file#/proc/} pid=\${pid%/environ}
      kill_marked "$pid" $patterns
    done
    pass=$((pass + 1))
  done
}

# Kills whatever carries one of the tokens, until a look finds nothing: a process may fork while it is looked for.
sweep() {
  seen=' ' count=0 patterns= pass=0
  for token in "$@"; do patterns="$patterns -e SNAKEPIT_INSTANCE=$token"; done
  while [ "$pass" -lt 50 ]; do
    found=$(marked $patterns)
    [ -z "$found" ] && return
    for file in $found; do
      pid=\${file#/proc/} pid=\${pid%/environ}
      kill_all_of "$pid"
      case $seen in *" $pid "*) ;; *) seen="$seen$pid " count=$((count + 1)) ;; esac
    done
    pass=$((pass + 1))
  done
}

host_is_gone() {
  look "$1" && [ "$start" = "$2" ] && return 1
  return 0
}

reap_leftovers() {
  hosts | while IFS=/:=. read -r _ _ pid _ _ host began place user; do
    [ "$place.$user" = "$own_place" ] && host_is_gone "$host" "$began" || continue
    # Somebody's worker started this very host.
    [ "$pid" = "$own_pid" ] && continue
    kill_all_of "$pid"
    echo "left $pid $host"
  done
}

# The folders of sockets, and of what workers kept in files, are named after their hosts.
remove_folders() {
  for folder in "$tmp"/snakepit-*.*.*.*-*; do
    mark=\${folder##*/snakepit-} mark=\${mark%-*}
    began=\${mark#*.} began=\${began%%.*}
    [ -O "$folder" ] && [ ! -L "$folder" ] || continue
    [ "\${mark#*.*.}" = "$own_place" ] && host_is_gone "\${mark%%.*}" "$began" || continue
    rm -rf "$folder"
  done
}

if [ -n "$own" ]; then
  reap_leftovers
  remove_folders
fi

while read -r verb value; do
  case $verb in
    start) look "$value" && groups="$groups $value:$start" ;;
    exit)
      rest=
      for entry in $groups; do [ "\${entry%%:*}" = "$value" ] || rest="$rest $entry"; done
      groups=$rest
      ;;
    open) tokens="$tokens $value" ;;
    sweep)
      sweep_marks $value
      echo swept
      ;;
    close)
      rest=
      for token in $tokens; do [ "$token" = "$value" ] || rest="$rest $token"; done
      tokens=$rest
      sweep "$value"
      echo "closed $value $count"
      ;;
  esac
done

for entry in $groups; do
  pid=\${entry%%:*}
  look "$pid" && [ "$start" = "\${entry#*:}" ] || continue
  # A worker that was forked just now may be in no group of its own yet.
  kill -9 "-$pid" || kill -9 "$pid"
done
[ -z "$tokens" ] && exit
sweep $tokens
[ -n "$own" ] && remove_folders
`.replaceAll('\\$', '$');
