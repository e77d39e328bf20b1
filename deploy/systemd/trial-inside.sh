#!/usr/bin/env bash
# What trial.sh runs where its systemd is PID 1.
set -euo pipefail
is() { # UNIT PROPERTY VALUE
	local got
	got=$(systemctl show "$1" -p "$2" --value)
	[ "$got" = "$3" ] || { echo "$1: $2 is $got, want $3"; systemctl status --no-pager "$1" || true; exit 1; }
}
pid() { systemctl show "$1" -p MainPID --value; }
until_is() { # UNIT PROPERTY VALUE
	for _ in {1..100}; do
		[ "$(systemctl show "$1" -p "$2" --value)" != "$3" ] || return 0
		sleep 0.2
	done
	is "$@"
}
services=(starling-tracker starling-seed@model starling-leech@model)

systemd-sysusers
# The watchdogs of half a minute and more would make a long trial.
for u in starling-tracker starling-seed@ starling-leech@; do
	mkdir -p "/etc/systemd/system/$u.service.d"
	printf '[Service]\nWatchdogSec=3\nStandardError=append:/out/services\n' >"/etc/systemd/system/$u.service.d/trial.conf"
done
systemctl daemon-reload

echo '== start'
systemctl start starling-tracker
is starling-tracker SubState running
systemctl show starling-tracker -p StatusText
mkdir -p /var/lib/starling/data
head -c 20000000 /dev/urandom >/var/lib/starling/data/model
starling -q create /var/lib/starling/data/model -o /var/lib/starling/torrents/model.torrent --tracker http://127.0.0.1:6969/announce
systemctl start starling-seed@model

echo '== transfer'
# The seed's folder is not to be fetched into: one host is two here.
sed -i 's,/var/lib/starling/data,/var/lib/starling/fetched,' /etc/starling/leech.yaml
install -d -o starling /var/lib/starling/fetched
# Until the tracker has seen the torrent it answers 404, and the unit tries again.
systemctl start starling-leech@model || until_is starling-leech@model SubState running
for _ in {1..100}; do [ -e /var/lib/starling/fetched/model ] && break; sleep 0.2; done
cmp /var/lib/starling/data/model /var/lib/starling/fetched/model
starling wait model --tracker http://127.0.0.1:6969 --hosts 100% --timeout 30s
starling status model --tracker http://127.0.0.1:6969

echo '== shut in'
for u in "${services[@]}"; do
	for line in CapEff:0000000000000000 NoNewPrivs:1 Seccomp:2; do
		tr -d '\t' <"/proc/$(pid "$u")/status" | grep -qx "$line" || { echo "$u is not $line"; exit 1; }
	done
	[ "$(stat -c %U "/proc/$(pid "$u")")" = starling ]
done

echo '== reload'
systemctl reload "${services[@]}"

echo '== three watchdogs long nothing but life'
sleep 9
for u in "${services[@]}"; do
	is "$u" SubState running
	is "$u" Result success
done
is starling-tracker NRestarts 0

echo '== what hangs is started anew'
for u in "${services[@]}"; do
	before=$(systemctl show "$u" -p NRestarts --value)
	was=$(pid "$u")
	kill -STOP "$was"
	until_is "$u" NRestarts $((before + 1))
	until_is "$u" SubState running
	[ "$(pid "$u")" != "$was" ]
done

echo '== stop'
systemctl stop "${services[@]}"
for u in "${services[@]}"; do
	is "$u" ActiveState inactive
	is "$u" Result success
done
[ "$(stat -c '%U %a' /var/lib/starling/tracker.state)" = 'starling 600' ]
echo 'all as it should be'
