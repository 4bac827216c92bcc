# shellcheck shell=bash disable=SC2034 # names for the scenarios
# What the lab's scenarios are written with: a network of namespaces, the servers, the clients, checks and captures.
# Sourced by a scenario inside the guest (scripts/lab). A check that fails ends the scenario with what was expected
# and what was seen. Nothing here waits by time: everything waits for a state, with a limit.
#
# Addresses: 192.0.2.1 the server, 192.0.2.11... the clients, 198.51.100.1 and .11... inside the tunnels.

set -uo pipefail
readonly checkout=/opt/pptpd-ts results=/results
readonly run_directory=/run/pptpd-ts
readonly server_address=192.0.2.1 tunnel_address=198.51.100.1
# Who speaks PPP at the server: scripts/lab runs scenarios with a line '# Engines: pppd builtin kernel' once with each. With
# NAME@kernel the builtin engine's packets travel in the kernel, otherwise through TUN devices.
engine=${LAB_ENGINE-pppd} data_path=tun
[[ $engine != kernel ]] || engine=builtin data_path=kernel
readonly engine data_path
# The keys of the section ppp that say it.
readonly engine_keys="\"engine\": \"$engine\", \"dataPath\": \"$data_path\","

readonly users=('' alice bob carol dave erin frank grace heidi ivan judy mallory)
# Seconds within which one client logs in or everything of one session is gone. A login takes 2 s in a quiet guest.
readonly login_seconds=30 gone_seconds=10
# Seconds within which a server listens: ours starts Node.js several times, which has taken 46 s on a loaded machine. A server
# that ends is noticed at once.
readonly start_seconds=90

# Process ids: the server, the clients by number, the captures by name.
server=''
declare -a client=()
declare -A capture=()
checks=0

# What the scenario has started may hold its output open, and scripts/lab reads to the end of that. The rest goes
# with the guest.
end_jobs() {
  local job
  for job in $(jobs -p); do kill -KILL "$job" 2> /dev/null; done
}
trap end_jobs EXIT

## What is seen on the screen

say() { printf '[%3d s] %s\n' "$SECONDS" "$*"; }
pass() {
  ((++checks))
  say "ok    $*"
}
# fail WHAT [LINE...]: ends the scenario; the lines tell what was expected, what was seen.
fail() {
  say "FAIL  $1"
  shift
  (($# == 0)) || printf '             %s\n' "$@"
  exit 1
}
skip() {
  say "skipped: $*"
  exit 77
}
finish() { say "$checks checks passed"; }

## Checks

# expect WHAT EXPECTED SEEN
expect() {
  [[ $3 == "$2" ]] || fail "$1" "expected: $2" "seen:     $3"
  pass "$1: $3"
}
# expect_match WHAT REGULAR_EXPRESSION TEXT
expect_match() {
  [[ $3 =~ $2 ]] || fail "$1" "expected something like: $2" "seen: ${3:-(nothing)}"
  pass "$1"
}
# expect_line WHAT REGULAR_EXPRESSION FILE: the file has a line like that.
expect_line() {
  local line
  line=$(grep -E -m 1 -- "$2" "$3") || fail "$1" "expected a line like: $2" "the end of $3:" "$(tail -n 5 "$3")"
  pass "$1: ${line:0:300}"
}
# expect_soon WHAT REGULAR_EXPRESSION FILE: a line that another process than the one last waited for writes; it has 20 s.
expect_soon() {
  wait_until 20 has_line "$2" "$3" || true
  expect_line "$@"
}
# failed_for NUMBER CAUSE: our log has the one line that explains why client NUMBER's login or session failed (docs/failures.md).
failed_for() {
  [[ ${LAB_SERVER-} != pptpd ]] || return 0
  expect_line "the log explains what failed: $2" \
    "\"level\":\"warn\".*\"peer\":\"192\.0\.2\.$((10 + $1)):[0-9]+\".*\"cause\":\"$2\".*\"msg\":\"(login|session) failed: " $results/server.log
}
# moment: passes $moment_seconds (50 ms), without the 18 ms that starting a program costs here.
exec {never}<> <(:)
moment() { read -r -t "${moment_seconds-0.05}" -u "$never" || true; }

# wait_until SECONDS COMMAND...: until the command succeeds; fails silently when the time is up.
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || return 1
    moment
  done
}
# wait_for WHAT SECONDS COMMAND...
wait_for() {
  local started=$SECONDS
  wait_until "$2" "${@:3}" || fail "$1" "not within $2 s, waiting for: ${*:3}"
  pass "$1 (after $((SECONDS - started)) s)"
}
not() { ! "$@"; }
# A process that has ended but was not waited for is not alive.
alive() {
  local line
  { read -r line < "/proc/$1/stat"; } 2> /dev/null && [[ $line != *') Z '* ]]
}
has_line() { grep -qE -- "$1" "$2" 2> /dev/null; }

## Network

# on NAMESPACE COMMAND...
on() { ip netns exec "$@"; }
# spawn NAMESPACE COMMAND... &: the same in the background, so that $! is the command's own process.
spawn() { exec ip netns exec "$@"; }

# network CLIENTS: namespaces server and c1... on one Ethernet.
network() {
  local clients=$1 number
  modprobe -a ppp_async ppp_mppe ppp_deflate bsd_comp veth tun gre bridge ipv6
  {
    echo netns add server
    for ((number = 1; number <= clients; ++number)); do
      echo netns add "c$number"
      echo link add "c$number" netns server type veth peer name eth0 netns "c$number"
    done
  } | ip -batch - || fail 'the network could not be made'
  {
    echo link set lo up
    echo link add lan type bridge
    echo link set lan up
    for ((number = 1; number <= clients; ++number)); do echo link set "c$number" up master lan; done
    echo address add 192.0.2.1/24 dev lan
  } | ip -n server -batch - || fail 'the server'\''s network could not be made'
  for ((number = 1; number <= clients; ++number)); do
    printf '%s\n' 'link set lo up' 'link set eth0 up' "address add 192.0.2.$((10 + number))/24 dev eth0" |
      ip -n "c$number" -batch - || fail "the network of client $number could not be made"
  done
  # What runs between the namespaces is real only when both ends see each other.
  on c1 ping -q -c 1 -W 5 192.0.2.1 > /dev/null || fail 'the network does not carry packets'
  on server sysctl -q -w net.ipv4.ip_forward=1
}

# install_files: test/lab/common/etc, then the scenario's own etc, over /etc of the guest.
install_files() {
  local own
  own=$(dirname "$0")/etc
  mkdir -p /etc/ppp
  cp -R "$checkout/test/lab/common/etc/." /etc
  [[ ! -d $own ]] || cp -R "$own/." /etc
  chown -R root:root /etc/ppp
  chmod 600 /etc/ppp/chap-secrets
}

# install_starter: the starter configuration with the lab's addresses, and no options file for pppd.
install_starter() {
  rm -f /etc/ppp/options.pptpd
  sed -e 's|"addresses": .*|"listen": { "address": "192.0.2.1" },|' -e 's|"level": "info"|"level": "debug"|' \
    -e '2a\  "addresses": { "local": ["198.51.100.1"], "remote": ["198.51.100.11-20"] },' \
    -e "s|\"ppp\": {|& $engine_keys|" \
    "$checkout/scripts/etc/pptpd-ts.json" > /etc/pptpd-ts.json
}

## Servers

# The table of a process's namespace, read without starting a program: 06BB is port 1723, 0A a listener.
listens() {
  alive "$1" || fail 'the server ended instead of listening' "$(tail -n 15 $results/server.log)"
  [[ $(< "/proc/$1/net/tcp") =~ :06BB\ 00000000:0000\ 0A ]]
}

# choose_engine: writes $engine and $data_path into the section ppp of the configuration, unless that names them.
choose_engine() {
  local file=/etc/pptpd-ts.json
  if grep -q '"engine"' $file; then
    grep -q '"dataPath"' $file || sed -i "s/\"engine\": \"[a-z]*\"/&, \"dataPath\": \"$data_path\"/" $file
    return
  fi
  if grep -q '"ppp": {' $file; then
    sed -i "s/\"ppp\": {/& $engine_keys/" $file
  else
    sed -i "0,/{/s//{ \"ppp\": { ${engine_keys%,} },/" $file
  fi
}
# start_server: pptpd-ts in namespace server, with /etc/pptpd-ts.json; that of another checkout if $server_checkout is set.
# LAB_SERVER=pptpd takes Debian's instead, to see
# whether a scenario that fails does so by its own fault; checks of what only pptpd-ts has then fail, of course.
start_server() {
  if [[ ${LAB_SERVER-} == pptpd ]]; then
    start_pptpd
    return
  fi
  [[ -f $checkout/dist/src/bundle/manager.js ]] || fail 'pptpd-ts is not built: run scripts/setup'
  choose_engine
  spawn server "${server_checkout:-$checkout}/bin/pptpd-ts" serve -c /etc/pptpd-ts.json >> $results/server.log 2>&1 &
  server=$!
  wait_for 'pptpd-ts listens' "$start_seconds" listens "$server"
}
# start_pptpd: Debian's, as a control of the lab.
start_pptpd() {
  spawn server pptpd --fg --conf /etc/pptpd.conf >> $results/server.log 2>&1 &
  server=$!
  wait_for 'pptpd listens' "$start_seconds" listens "$server"
}
stop_server() {
  kill -TERM "$server"
  wait_for 'the server ends when told to' 20 not alive "$server"
}
# pptpd_ts COMMAND...: the command line, where the server is. Costs a second of Node's start: never in a loop.
pptpd_ts() { on server "$checkout/bin/pptpd-ts" "$@"; }

# Sessions by their sockets in the run directory.
sessions_are() {
  local sockets=("$run_directory"/sessions/*.sock)
  [[ -e ${sockets[0]} ]] || sockets=()
  ((${#sockets[@]} == $1))
}
# session_process worker|pppd: its id, of the only session there is. With the builtin engine there is no pppd.
session_process() { sed -n "s/.*\"$1\":{\"pid\":\([0-9]*\).*/\1/p" "$run_directory"/sessions/*.json; }
# monitor_process: the id of the builtin engine's monitor, which a supervisor with a similar title starts.
monitor_process() {
  local process
  for process in $(ip netns pids server); do
    if [[ $(tr '\0' ' ' < "/proc/$process/cmdline") == "pptpd-ts monitor $run_directory"* ]]; then echo "$process"; fi
  done 2> /dev/null
}
has_monitor() { [[ -n $(monitor_process) ]]; }
no_server_pppd() {
  local process
  for process in $(ip netns pids server); do
    [[ $(< "/proc/$process/comm") != pppd ]] || return 1
  done 2> /dev/null
}

# busy PROCESS: alive, and no ctrl worker that waits for the next client.
busy() { alive "$1" && [[ $(tr '\0' ' ' < "/proc/$1/cmdline") != 'pptpd-ts worker'* ]]; }

# tunnels_left: interfaces, routes and proxy ARP entries that the server's tunnels have made.
tunnels_left() {
  ip -n server -o link show | grep -oE '\bppp[0-9]+'
  ip -n server route show table all | grep -E ' dev ppp[0-9]'
  ip -n server neighbour show proxy
}
no_tunnel_left() { [[ -z $(tunnels_left) ]]; }

# everything_gone SECONDS PROCESS...: of the only session that there was. Its address is shown to be free by the next
# client, where the pool has only one.
everything_gone() {
  local seconds=$1 process started=$SECONDS
  shift
  wait_until "$seconds" sessions_are 0 || fail "the session is gone within $seconds s" "still there: $(ls $run_directory/sessions)"
  for process; do
    wait_until $((seconds - (SECONDS - started))) not busy "$process" ||
      fail "process $process is gone within $seconds s" "still there: $(tr '\0' ' ' < "/proc/$process/cmdline")"
  done
  wait_until $((seconds - (SECONDS - started))) no_server_pppd || fail "no pppd is left within $seconds s" "$(pgrep -a pppd)"
  wait_until $((seconds - (SECONDS - started))) no_tunnel_left || fail "no interface, route or ARP entry is left within $seconds s" "$(tunnels_left)"
  [[ -z $(ls $run_directory/sessions) ]] || fail 'nothing is left in the run directory' "$(ls -l $run_directory/sessions)"
  pass "everything of the session is gone (after $((SECONDS - started)) s)"
}

## Clients

# client_start NUMBER USER [PPPD OPTION...]: pptp-linux in namespace cNUMBER, interface vpn. Knows the password from
# /etc/ppp/chap-secrets, asks for MPPE unless $client_mppe is set otherwise.
client_start() {
  local number=$1 user=$2
  shift 2
  # shellcheck disable=SC2086 # several options
  spawn "c$number" sh -c 'mkdir -p /run/pptp; mount -t tmpfs pptp /run/pptp; exec "$@"' - \
    pppd pty "pptp ${pptp_server:-192.0.2.1} --nolaunchpppd --logstring c$number ${pptp_options-}" \
    name "$user" remotename pptpd ${client_mppe-require-mppe-128} noauth noipdefault nodefaultroute noproxyarp \
    nobsdcomp nodeflate noipv6 nodetach debug ifname vpn "$@" >> "$results/client-$number.log" 2>&1 &
  client[number]=$!
}
# Read from the kernel without starting a program: the route to the peer is set last.
client_is_up() { [[ $(< "/proc/${client[$1]}/net/route") == *vpn* ]] 2> /dev/null; }
client_is_settled() { client_is_up "$1" || not alive "${client[$1]}"; }
client_settles() {
  wait_until "$2" client_is_settled "$1" ||
    fail "client $1 is up within $2 s" "the end of its log:" "$(tail -n 15 "$results/client-$1.log")"
  alive "${client[$1]}" || fail "client $1 logs in" "its pppd ended:" "$(tail -n 15 "$results/client-$1.log")"
  # The client is up a moment before the server's pppd is, which drops what comes sooner.
  wait_until 10 server_has_route "$(client_address "$1")" || fail "the server has a route to client $1" "$(ip -n server route)"
}
# server_has_route ADDRESS: in the table of the server's namespace, where addresses are little-endian hex.
server_has_route() {
  local octets hex
  IFS=. read -ra octets <<< "$1"
  printf -v hex '%02X%02X%02X%02X' "${octets[3]}" "${octets[2]}" "${octets[1]}" "${octets[0]}"
  [[ $(< "/proc/$server/net/route") == *$'\t'"$hex"$'\t'* ]]
}
# client_up NUMBER USER [PPPD OPTION...]
client_up() {
  local started=$SECONDS
  client_start "$@"
  client_settles "$1" "$login_seconds"
  pass "client $1 logged in as $2 with $(client_address "$1") (after $((SECONDS - started)) s)"
}
client_address() { ip -n "c$1" -4 -o address show dev vpn | sed -n 's/.* inet \([0-9.]*\).*/\1/p'; }
client_mtu() { ip -n "c$1" -o link show dev vpn | sed -n 's/.* mtu \([0-9]*\).*/\1/p'; }
# client_goodbye NUMBER: hangs up in order.
client_goodbye() {
  kill -TERM "${client[$1]}"
  wait_for "client $1 has hung up" 20 not alive "${client[$1]}"
}
# client_gone NUMBER: waits until no process of it is left. Its pptp outlives its pppd, for at most one of its timers
# (60 s; the guest's clock skips idle time), and would take packets of the next client. One that is left then hangs (pptp-linux
# leaves its signal handlers by longjmp, perhaps out of syslog), and is killed.
client_gone() {
  # Looking is expensive, and the guest's clock skips most of the time between.
  local processes moment_seconds=1
  ! wait_until 70 client_has_no_process "$1" || return 0
  mapfile -t processes < <(ip netns pids "c$1")
  say "client $1 does not end:" "$(ps -o pid,ppid,stat,wchan:24,args -p "${processes[*]}")"
  kill -KILL "${processes[@]}"
  wait_for "client $1 is killed" 20 client_has_no_process "$1"
}
client_has_no_process() { [[ -z $(ip netns pids "c$1") ]]; }
# client_kill NUMBER: everything of it dies at once, without a word from pppd or pptp: while the first one dies the
# others are stopped already, or they would say goodbye for it.
client_kill() {
  local processes
  mapfile -t processes < <(ip netns pids "c$1")
  kill -STOP "${processes[@]}"
  kill -KILL "${processes[@]}"
  # The shell would report the death of its child.
  { wait "${client[$1]}"; } 2> /dev/null
}

## Traffic

# pings NAMESPACE ADDRESS COUNT [SIZE]: that many, never fragmented; all must be answered. A second try is granted:
# where the machine is loaded a client's pptp drops a packet now and then, seen while the server's relay, by its
# counters, had taken every request and sent every answer.
pings() {
  local size=${4:-56} seen try
  for try in first second; do
    seen=$(on "$1" ping -q -M "do" -s "$size" -i 0.005 -c "$3" -W 5 "$2" 2>&1)
    [[ $seen != *" $3 received"* ]] || break
    say "the $try try: $seen"
  done
  [[ $seen == *" $3 received"* ]] ||
    fail "$3 pings of $size bytes from $1 to $2" "expected: $3 received" "seen:     $seen"
  pass "$3 pings of $size bytes from $1 to $2, none lost, $(sed -n 's/^rtt //p' <<< "$seen")"
}
# full_pings NUMBER COUNT: both ways, packets as large as the tunnel takes (20 IP, 8 ICMP).
full_pings() {
  local size=$(($(client_mtu "$1") - 28))
  pings "c$1" "$tunnel_address" "$2" "$size"
  pings server "$(client_address "$1")" "$2" "$size"
}

traffic_listens() { [[ $(< "/proc/$traffic/net/tcp") =~ :1451\ 00000000:0000\ 0A ]]; }
# throughput NUMBER up|down [SECONDS]: a megabyte goes through the tunnel by TCP, or as much as passes in that time. Client
# and server share one CPU of a guest kernel, so the figure, left in $mbits, says little about speed. TCP's retransmissions are
# left in $retransmissions.
throughput() {
  local number=$1 direction=$2 report options=(-c "$tunnel_address" -f m)
  if [[ -n ${3-} ]]; then options+=(-t "$3"); else options+=(-n 1M); fi
  [[ $direction == up ]] || options+=(-R)
  spawn server iperf3 -s -1 -B "$tunnel_address" > $results/iperf-server.log 2>&1 &
  traffic=$!
  wait_until 20 traffic_listens || fail 'iperf3 listens'
  # Over a bad network it can hang for ever when its own control connection is what was hit.
  report=$(on "c$number" timeout 30 iperf3 "${options[@]}" 2>&1) ||
    fail "TCP $direction through the tunnel" "$report"
  mbits=$(sed -n 's/.* \([0-9.]*\) Mbits\/sec.*receiver.*/\1/p' <<< "$report")
  retransmissions=$(sed -n 's/.* Mbits\/sec *\([0-9]*\) *sender.*/\1/p' <<< "$report")
  [[ $mbits =~ [1-9] ]] || fail "TCP $direction through the tunnel" 'expected: more than 0 Mbit/s' "$report"
  pass "TCP $direction through the tunnel: $mbits Mbit/s"
  kill "$traffic" 2> /dev/null
  wait "$traffic" 2> /dev/null
}

# transfer NUMBER up|down KILOBYTES SECONDS: all those bytes through one TCP connection in the tunnel, in that time. For
# networks so bad that iperf3 loses its own control connection.
transfer() {
  local number=$1 direction=$2 bytes=$(($3 * 1000)) started seconds received peer
  spawn server perl -MIO::Socket::INET -e '
    my ($address, $direction, $bytes) = @ARGV;
    my $listener = IO::Socket::INET->new(LocalAddr => $address, LocalPort => 5201, Listen => 1, ReuseAddr => 1) or die $@;
    my $peer = $listener->accept;
    if ($direction eq "down") { print $peer "x" x $bytes; exit }
    my $received = 0;
    while (my $count = sysread($peer, my $buffer, 65536)) { $received += $count }
    print $received' "$tunnel_address" "$direction" "$bytes" > /run/transfer &
  traffic=$!
  wait_until 20 traffic_listens || fail 'the receiver listens'
  started=${EPOCHREALTIME/./}
  # shellcheck disable=SC2016 # expanded by the inner shell
  peer=$(on "c$number" timeout "$4" bash -c 'exec 3<> "/dev/tcp/$0/5201" || exit
    if [[ $1 == up ]]; then head -c "$2" /dev/zero >&3; else wc -c <&3; fi' "$tunnel_address" "$direction" "$bytes")
  wait_until "$4" not alive "$traffic" || kill "$traffic"
  seconds=$(((${EPOCHREALTIME/./} - started) / 1000))
  received=$peer
  [[ $direction == down ]] || received=$(< /run/transfer)
  [[ $received == "$bytes" ]] || fail "$3 kB $direction in one TCP connection within $4 s" "expected: $bytes bytes" "seen:     ${received:-none}"
  pass "$3 kB $direction in one TCP connection: $((seconds / 1000)).$((seconds % 1000 / 100)) s, $((bytes * 8 / seconds)) kbit/s"
}

## Captures

# capture_start NAME NAMESPACE INTERFACE [FILTER]: into results/NAME.pcap, which scripts/lab has judged by tshark.
capture_start() {
  local name=$1
  spawn "$2" tcpdump -Z root -i "$3" --immediate-mode -U -w "$results/$name.pcap" "${@:4}" 2> "/run/$name.tcpdump" &
  capture[$name]=$!
  wait_until 20 has_line 'listening on' "/run/$name.tcpdump" || fail "tcpdump starts" "$(< "/run/$name.tcpdump")"
}
# capture_stop NAME
capture_stop() {
  kill -INT "${capture[$1]}"
  wait "${capture[$1]}" || fail "tcpdump ends" "$(< "/run/$1.tcpdump")"
}
# control_messages NAME: those of a capture, one a line: sender, name, codes.
control_messages() { "$checkout/scripts/lab.d/control-messages" "$results/$1.pcap"; }
