// Package alert is the state machine of an objective's alert: inactive, pending, firing, resolved.
//
// An Assessment holds an objective's budget and tiers at the end of a minute. Alert.Step advances an
// alert by one assessment. Alert.Notices returns which receivers must be notified. Everything here is pure: the
// same assessments give the same alerts, in one run or over many restarts.
//
// Rules:
//   - An objective has one alert, however many tiers are active: four tiers are not four pages. Its severity is that of
//     its most urgent active tier. It escalates from ticket to page within the alert.
//   - An alert keeps one fingerprint, so receivers know a firing, an escalation and a resolution to be the same
//     thing. The fingerprint is of the labels alertname and objective only. The severity is a label too, because routing
//     trees and templates look for labels.severity, but it is left out of the fingerprint: in it, an escalation would be
//     a second alert, and the first one would never resolve.
//   - Easing from page to ticket notifies nobody, but is stored: a later page is notified again, as an escalation. For
//     a receiver that takes only pages, an alert that eases to a ticket has resolved.
//   - Pending means that a tier's short window burns too fast and its long window not yet: trouble builds up. Nobody is notified.
//     A long window that burns while the short one does not reflects trouble that is over: that is not pending.
//   - An alert resolves when no tier is active. The short windows let that happen minutes after the trouble ends;
//     keep_firing_for holds it longer.
//   - A Silence, traffic that has stopped, makes the alert of a freshness objective fire at once, beside its tiers.
//   - While nothing is measured, a firing alert goes on for as long as a long window of its severity burns: a service
//     that fails so badly that it sends nothing at all has not recovered. Nothing begins to fire meanwhile.
//   - A tier begins to fire only where a tenth of its long window is covered, or its bad events are worth its share of the budget at the
//     extrapolated traffic. In the first minutes of an objective a few bad events are otherwise a page.
package alert
