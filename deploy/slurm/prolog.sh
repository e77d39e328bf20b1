#!/usr/bin/env bash
# A Prolog for slurm.conf: starts to fetch what the job asks for while its nodes are made
# ready. A job asks with
#
#	sbatch --comment=starling:model ...
#
# and its script waits for the content, which is at its final name when it is whole:
#
#	until [ -e /var/lib/starling/data/model ]; do sleep 1; done
#
# The service goes on while the job runs, so that the node passes on what it has; the
# epilog stops it.
#
#	Prolog=/etc/slurm/starling-prolog.sh
#	Epilog=/etc/slurm/starling-epilog.sh
#
# It must not fail: a Prolog that does drains the node. Slurm gives it no comment, so it
# asks for it, and gives up soon. A blank follows the comment in the answer.
set -u
comment=$(timeout 10 scontrol show job "${SLURM_JOB_ID:-0}" 2>/dev/null | sed -n 's/^ *Comment=\(.*[^ ]\) *$/\1/p')
case $comment in
starling:*) name=${comment#starling:} ;;
*) exit 0 ;;
esac
# It becomes the name of a unit and of a file.
if ! [[ $name =~ ^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$ ]]; then
	echo "starling: the comment names no torrent: $comment" >&2
	exit 0
fi
systemctl start --no-block "starling-leech@$name.service" ||
	echo "starling: starling-leech@$name.service was not started" >&2
exit 0
