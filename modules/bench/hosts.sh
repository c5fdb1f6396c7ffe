#!/usr/bin/env bash
# Hosts on one machine: network namespaces, each with a link of its own to a bridge. Needs root and iproute2, and touches
# nothing outside the namespaces sparkformer-0 (the bridge, 10.77.0.254) and sparkformer-1 to -N (hosts 10.77.0.1 to .N).
#
#   hosts.sh up [N]            makes the bridge and N hosts (default: 4), and says what their links do
#   hosts.sh run I COMMAND...  on host I, or beside the bridge for 0
#   hosts.sh cut I             takes the link of host I down; hosts.sh heal I brings it up again
#   hosts.sh refuse I J        refuses what host I sends to host J, and ends its connections there with an error;
#                              hosts.sh allow I J allows it again
#   hosts.sh down              ends what runs there and takes everything away
#
# RATE    of a link, each way (default: 1gbit)
# DELAY   of a packet on its way, in microseconds (default: 100, so 0.2 ms there and back; 0 for none)
# SHARE   of this machine's processors that a host gets, in percent of one (default: 0, no limit)
# OWNER   process that the hosts are for: once it has ended, the next up takes them away first (default: none, they stay)
set -euo pipefail
shopt -s inherit_errexit

name=sparkformer
shares=/sys/fs/cgroup/cpu/$name
[[ -f /sys/fs/cgroup/cgroup.controllers ]] && shares=/sys/fs/cgroup/$name

fail() { echo "hosts.sh: $*" >&2; exit 2; }

limit() { # NAMESPACE DEVICE
  # The bucket holds a whole packet of the kernel's, which are up to 64 KiB until they are cut.
  tc -n "$1" qdisc add dev "$2" root handle 1: tbf rate "${RATE:-1gbit}" burst 128k latency 100ms
}

# Delays what a host sends, by netem where the kernel has it. Else the bridge's end of the link takes packets in only
# when a timer goes off, as network cards do that spare interrupts: a packet waits for half its period on average. That
# is done for packets that were cut before they were sent, so they are large ones.
delay() { # HOST
  local delay=${DELAY:-100}
  if ((delay == 0)); then echo none; return; fi
  if tc -n "$name-$1" qdisc add dev eth0 parent 1: netem delay "${delay}us" limit 10000 2>/dev/null; then
    echo "$delay us each way, by netem"
    return
  fi
  command -v ethtool >/dev/null || fail "this kernel has no netem, and there is no ethtool to do without: apt-get install ethtool"
  ip -n "$name-$1" link set eth0 mtu 9000
  ip -n $name-0 link set "host$1" mtu 9000
  ip netns exec "$name-$1" ethtool -K eth0 tso off
  ip netns exec $name-0 ethtool -K "host$1" gro on
  # shellcheck disable=SC2016 # expanded by the inner shell
  ip netns exec $name-0 sh -c 'cd "/sys/class/net/$0" && echo 1000000000 >napi_defer_hard_irqs && echo "$1" >gro_flush_timeout' \
    "host$1" $((2 * delay * 1000))
  echo "0 to $((2 * delay)) us each way, by a timer, for this kernel has no netem"
}

share() { # HOST
  local folder=$shares-$1 period=5000
  ((${SHARE:-0})) || return 0
  mkdir -p "$folder"
  if [[ -f $folder/cpu.max ]]; then
    echo "$((SHARE * period / 100)) $period" >"$folder/cpu.max"
  else
    echo "$period" >"$folder/cpu.cfs_period_us"
    echo "$((SHARE * period / 100))" >"$folder/cpu.cfs_quota_us"
  fi
}

# A process's number, and when it was started, for numbers come again. Nothing for one that has ended.
process() { # PID
  local stat fields
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
  read -ra fields <<<"${stat##*) }"
  echo "$1 ${fields[19]}"
}

# The owner stands in the alias of the bridge, and goes with it.
clear_away() {
  local owner
  ip netns list | grep -q "^$name-" || return 0
  owner=$(ip netns exec $name-0 cat /sys/class/net/bridge/ifalias 2>/dev/null) || true
  [[ -n $owner ]] || fail "there are hosts already: hosts.sh down takes them away"
  [[ $(process "${owner% *}") != "$owner" ]] || fail "there are hosts already, of process ${owner% *}, which runs"
  echo "hosts that process ${owner% *} left behind are taken away"
  down
}

up() {
  local hosts=${1:-4} delay i
  clear_away
  trap '[[ $? == 0 ]] || down' EXIT
  ip netns add $name-0
  ip -n $name-0 link set lo up
  ip -n $name-0 link add bridge type bridge
  [[ -z ${OWNER:-} ]] || ip -n $name-0 link set bridge alias "$(process "$OWNER")"
  ip -n $name-0 addr add 10.77.0.254/24 dev bridge
  ip -n $name-0 link set bridge up
  for ((i = 1; i <= hosts; i++)); do
    ip netns add "$name-$i"
    ip -n "$name-$i" link set lo up
    ip -n $name-0 link add "host$i" type veth peer name eth0 netns "$name-$i"
    ip -n $name-0 link set "host$i" master bridge up
    ip -n "$name-$i" addr add "10.77.0.$i/24" dev eth0
    ip -n "$name-$i" link set eth0 up
    limit $name-0 "host$i"
    limit "$name-$i" eth0
    delay=$(delay "$i")
    share "$i"
  done
  echo "$hosts hosts, 10.77.0.1 to 10.77.0.$hosts: links of ${RATE:-1gbit}, delay $delay"
}

run() { # HOST COMMAND...
  [[ -e /run/netns/$name-$1 ]] || fail "there is no host $1: hosts.sh up makes them"
  [[ ! -d $shares-$1 ]] || echo $$ >"$shares-$1/cgroup.procs"
  exec ip netns exec "$name-$1" "${@:2}"
}

# As a router between them would, it leaves the other's knowledge of their addresses alone.
refuse() { # FROM TO
  ip -n "$name-$2" neigh replace "10.77.0.$1" dev eth0 nud permanent \
    lladdr "$(ip netns exec "$name-$1" cat /sys/class/net/eth0/address)"
  ip -n "$name-$1" route add prohibit "10.77.0.$2"
  ip netns exec "$name-$1" ss --kill --tcp dst "10.77.0.$2" >/dev/null
}

down() {
  local namespace
  for namespace in $(ip netns list | grep -o "^$name-[0-9]*"); do
    # Some may have ended by now.
    ip netns pids "$namespace" | xargs -r kill -9 2>/dev/null || true
    ip netns del "$namespace"
  done
  for folder in "$shares"-*; do
    [[ ! -d $folder ]] || rmdir "$folder" 2>/dev/null || { sleep 1; rmdir "$folder"; }
  done
}

[[ $(id -u) == 0 ]] || fail "network namespaces need root"
command -v ip >/dev/null && command -v tc >/dev/null || fail "no iproute2: apt-get install iproute2"
case ${1:-} in
  up) up "${2:-4}" ;;
  run) (($# > 2)) || fail "usage: hosts.sh run I COMMAND..."; run "${@:2}" ;;
  cut) ip -n $name-0 link set "host${2:?which host?}" down ;;
  heal) ip -n $name-0 link set "host${2:?which host?}" up ;;
  refuse) refuse "${2:?which host?}" "${3:?which other host?}" ;;
  allow) ip -n "$name-${2:?which host?}" route del prohibit "10.77.0.${3:?which other host?}" ;;
  down) down ;;
  *) fail "usage: hosts.sh up [N] | run I COMMAND... | cut I | heal I | refuse I J | allow I J | down" ;;
esac
