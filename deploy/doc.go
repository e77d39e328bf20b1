// Package deploy is how starling is run: images, manifests, units, packages, playbooks.
// docs/deploy.md says how to use them; this package has only their tests.
//
//	docker        the image                    checked in check
//	compose       a swarm on one host          checked in check
//	kubernetes    base, overlay, components    checked in check
//	systemd       units, their configuration   checked here, by trial.sh and by fleet.sh
//	packaging     deb and rpm                  checked by packaging/check.sh
//	ansible       a role and a playbook        checked here
//	slurm         prolog, epilog, a batch job  checked here
//	sbom          what a binary is made of     a program, with tests of its own
//	monitoring    makes grafana and prometheus, and checks them
//	check         a module of its own: what needs libraries that starling has no use for
//
// What an outside tool says of a file, that tool is asked. Where it is missing the test
// skips with the name of its package, and under CI it fails. And what the files run is
// run, on loopback: the units' command lines with a service manager's socket, the batch
// job with a stand-in for srun.
package deploy
