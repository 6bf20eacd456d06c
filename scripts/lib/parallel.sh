# shellcheck shell=bash
# Shared by start_parallel.sh and run_parallel.sh: builds the programs, chooses their data directory, opens windows.
# Sourced with $root set to the project's folder.

profile=${AVIATOR_BUILD_PROFILE:-release}
target=${CARGO_TARGET_DIR:-$root/target}
listen=${AVIATOR_LISTEN:-127.0.0.1:5001}
url="http://${listen/#0.0.0.0/127.0.0.1}"

case "$profile" in dev) bin="$target/debug" ;; *) bin="$target/$profile" ;; esac
collector="$bin/collector"
predictor="$bin/predictor"

# Returns the memory of a training to the system at once, as in the systemd units.
export MALLOC_MMAP_THRESHOLD_=${MALLOC_MMAP_THRESHOLD_:-262144} MALLOC_TRIM_THRESHOLD_=${MALLOC_TRIM_THRESHOLD_:-262144}

build_programs() {
  command -v cargo >/dev/null 2>&1 || {
    echo "Rust is missing: install it from https://rustup.rs, open a new terminal and run this again." >&2
    exit 1
  }
  echo "Building the collector and the predictor (the first time takes several minutes) ..."
  # On a terminal cargo shows its progress, so that a long build does not look stuck.
  local quiet=(--quiet)
  [ ! -t 2 ] || quiet=()
  (cd "$root" && cargo build ${quiet[@]+"${quiet[@]}"} --locked --profile "$profile" -p collector -p predictor)
}

# Both programs get the same directory: --data-dir among the collector's flags, else AVIATOR_DATA_DIR,
# else the collector's own default for its source (simulated rounds never mix with recorded ones).
# Sets data_dir, and collector_flags to the remaining flags of the collector.
choose_data_dir() {
  local source=${AVIATOR_SOURCE:-demo} pattern=${AVIATOR_PATTERN:-none} previous="" name=demo
  data_dir=${AVIATOR_DATA_DIR:-}
  collector_flags=()
  for argument in "$@"; do
    case "$previous:$argument" in
      --data-dir:*) data_dir=$argument ;;
      *:--data-dir=*) data_dir=${argument#*=} ;;
      *:--data-dir) ;;
      *) collector_flags+=("$argument") ;;
    esac
    case "$previous:$argument" in
      --source:*) source=$argument ;;
      *:--source=*) source=${argument#*=} ;;
      --pattern:*) pattern=$argument ;;
      *:--pattern=*) pattern=${argument#*=} ;;
    esac
    previous=$argument
  done
  if [ -z "$data_dir" ]; then
    [ "$pattern" = none ] || name=demo-$pattern
    case "$source" in demo) data_dir=$root/data/$name ;; *) data_dir=$root/data ;; esac
  fi
  case "$data_dir" in /*) ;; *) data_dir=$PWD/$data_dir ;; esac
  export AVIATOR_DATA_DIR=$data_dir AVIATOR_LISTEN=$listen
}

detect_windows() {
  if [ -n "${TMUX:-}" ]; then echo tmux
  elif [ -t 1 ] && [ -z "${SSH_CONNECTION:-}" ] && terminal_program >/dev/null; then echo desktop
  elif [ -t 1 ] && command -v tmux >/dev/null 2>&1; then echo tmux
  else echo none
  fi
}

# Prints the desktop's terminal program; fails when there is no desktop.
terminal_program() {
  if [ "$(uname -s)" = Darwin ]; then echo Terminal.app; return; fi
  [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] || return 1
  local name
  for name in x-terminal-emulator gnome-terminal konsole xfce4-terminal alacritty kitty xterm; do
    if command -v "$name" >/dev/null 2>&1; then echo "$name"; return; fi
  done
  return 1
}

# Quotes words for another shell.
quoted() { printf '%q ' "$@"; }

announce() {
  echo
  echo "  Dashboard: $url   (reachable only from this machine unless you chose another address)"
  echo "  Rounds:    $data_dir"
  echo
}

start_in_tmux() {
  local collect predict keep='; echo; echo "The program has ended (exit code $?). Press Enter to close."; read -r _'
  collect="$(quoted "$collector" --data-dir "$data_dir" ${collector_flags[@]+"${collector_flags[@]}"})$keep"
  predict="$(quoted "$predictor" --data-dir "$data_dir" --listen "$listen")$keep"
  announce
  if [ -n "${TMUX:-}" ]; then
    tmux new-window -n "aviator collector" "$collect"
    tmux new-window -n "aviator predictor" "$predict"
    echo "Both run in two new tmux windows. Ctrl-C in a window stops its program."
  else
    tmux new-session -d -s aviator -n "aviator collector" "$collect"
    tmux new-window -t aviator -n "aviator predictor" "$predict"
    echo "Both run in the tmux session 'aviator'. Ctrl-C in a window stops its program."
    exec tmux attach -t aviator
  fi
}

start_in_terminals() {
  open_terminal "aviator collector" "$collector" --data-dir "$data_dir" ${collector_flags[@]+"${collector_flags[@]}"}
  open_terminal "aviator predictor" "$predictor" --data-dir "$data_dir" --listen "$listen"
  announce
  echo "Each program runs in its own window. Ctrl-C in a window stops its program."
}

open_terminal() {
  local title=$1 line program
  shift
  line="$(quoted "$@"); echo; echo \"The program has ended (exit code \$?). Press Enter to close.\"; read -r _"
  program=$(terminal_program)
  case "$program" in
    Terminal.app)
      local script=${line//\\/\\\\}
      osascript -e "tell application \"Terminal\" to do script \"${script//\"/\\\"}\"" >/dev/null
      ;;
    gnome-terminal) gnome-terminal --title "$title" -- bash -c "$line" ;;
    konsole) konsole -p "tabtitle=$title" -e bash -c "$line" & ;;
    kitty) kitty --title "$title" bash -c "$line" & ;;
    xfce4-terminal) xfce4-terminal --title "$title" -x bash -c "$line" & ;;
    *) "$program" -T "$title" -e bash -c "$line" & ;;
  esac
}
