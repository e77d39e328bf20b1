// Package browser holds the tests of the tracker's web page in headless Chromium,
// against a real tracker on loopback that synthetic hosts announce to; the pictures are
// of a rollout by processes of starling. It is a module of its own, so that what drives
// the browser is no dependency of the tracker.
//
// Chromium is Debian's package; axe-core comes from the npm registry and is kept in
// no commit. Without them the tests are skipped, under CI they fail.
//
// Some take long and run only when asked for: STARLING_SHOTS=DIR writes the pictures
// of docs/web.md, STARLING_COST=1 measures what an open page costs the tracker,
// STARLING_SMOOTH=20s how smooth it is, STARLING_MEMORY=4m whether it grows.
package browser
