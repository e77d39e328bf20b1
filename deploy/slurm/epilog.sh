#!/usr/bin/env bash
# An Epilog for slurm.conf, beside prolog.sh: stops to serve what the job had asked for.
# Where the same content is for many jobs, leave it out: then the node serves the next.
set -u
comment=$(timeout 10 scontrol show job "${SLURM_JOB_ID:-0}" 2>/dev/null | sed -n 's/^ *Comment=\(.*[^ ]\) *$/\1/p')
if [[ $comment =~ ^starling:([A-Za-z0-9][A-Za-z0-9._-]{0,99})$ ]]; then
	systemctl stop --no-block "starling-leech@${BASH_REMATCH[1]}.service"
fi
exit 0
