// Package view is the tracker's web page: the swarms, and for each one who has how
// much of it, who feeds whom, and what keeps the slowest.
//
// New makes an http.Handler from a Source, which the tracker implements. The pages
// are HTML templates filled on the server, so that every number is there without
// JavaScript: tables with paging, sorting and a filter by label, all in the URL.
// With it, the files under assets/ keep the page current from the tracker's own
// /api/v1/ and its events, and draw. Templates and assets are embedded as they are:
// there is no build step, nothing is loaded from elsewhere, and the
// Content-Security-Policy allows nothing but files of this origin.
//
// Everything that a peer says of itself (node, labels, client) is a stranger's text:
// html/template escapes it here, textContent in the browser.
//
// It does not know the swarms, serves no JSON and no events, and keeps no state: a
// page is what the Source says at that moment. The tests in browser/, a module of
// its own, look at the pages in Chromium.
package view
