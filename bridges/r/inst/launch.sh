#!/bin/sh
# Starts R with real pipes in the place of the host's socket, which R cannot open: `launch.sh RSCRIPT ARGS…`.
#
#   socket (SNAKEPIT_FD) --> cat --> FIFO --> descriptor 3 --\
#                                                             R, in the place of this shell
#   socket               <-- cat <-- FIFO <-- descriptor 4 --/
#
# The FIFOs have no name any more when R starts. R itself has no descriptor of the socket, and neither has what it starts.
#
# Where the host gives it a folder (SNAKEPIT_FOLDER), R makes its tempdir() in there: the host removes it when R is killed and cannot.
umask_before=$(umask)
umask 077
socket=${SNAKEPIT_FD:-3}
folder=${SNAKEPIT_FOLDER:-}
[ -n "$folder" ] || folder=$(mktemp -d "${TMPDIR:-/tmp}/snakepit-r.XXXXXX") || exit 126
mkfifo "$folder/in" "$folder/out" || { rm -rf "$folder"; exit 126; }
{
  # Neither may hold the arena's descriptor, nor one another's; the host's end of the socket ends them, and R with all it started.
  { cat <&"$socket" >"$folder/in"; kill -9 -$$; } 2>/dev/null 4>&- &
  cat <"$folder/out" >&"$socket" 2>/dev/null 4>&- &
}
exec 3<"$folder/in" 4>"$folder/out"
if [ -n "${SNAKEPIT_FOLDER:-}" ]; then
  rm -f "$folder/in" "$folder/out"
  SNAKEPIT_R_TMPDIR=${TMPDIR:-} TMPDIR=$folder
  export SNAKEPIT_R_TMPDIR TMPDIR
else
  rm -rf "$folder"
fi
umask "$umask_before"
SNAKEPIT_R_INPUT=/dev/fd/3 SNAKEPIT_R_OUTPUT=/dev/fd/4
export SNAKEPIT_R_INPUT SNAKEPIT_R_OUTPUT
exec "$@"
