// Package check holds the files of deploy to what reads them: tests only.
//
// It is a module of its own, because it takes libraries that starling has no use for:
// kustomize and the types of Kubernetes, compose's loader, BuildKit's parser and linter
// of Dockerfiles, CycloneDX. Grafana's types are TypeScript, and come by npm.
//
//	go test ./...        # in this folder
//
// Each file is read by the library that its tool is made of, every field that the
// library does not know being an error. Then follows what no schema says: that selectors
// select something, that named ports and mounted volumes exist, that pods pass the
// admission that their namespace asks for. Last, the command lines are run as processes
// on loopback, with paths and addresses of this host in the place of the container's, and
// a swarm must come of it.
//
// What it does not do: it builds no image and starts no container and no cluster. The
// services of systemd, which need no such library, are checked in package deploy.
package check
