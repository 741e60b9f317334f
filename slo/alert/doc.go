// Package alert is the state machine of an objective's alert: inactive, pending, firing, resolved.
//
// An Assessment is what an objective looks like at the end of a minute: its budget and its tiers. Alert.Step takes an
// alert from one minute to the next. Alert.Notices says who must be told of it, as Notices. Everything here is pure: the
// same assessments give the same alerts, in one run or over many restarts.
//
// Rules:
//   - An objective has one alert, however many tiers are active: four tiers are not four pages. Its severity is that of
//     its most urgent active tier. It escalates from ticket to page within the alert.
//   - One alert has one fingerprint for good, so receivers know a firing, an escalation and a resolution to be the same
//     thing. The fingerprint is of the labels alertname and objective only. The severity is a label too, because routing
//     trees and templates look for labels.severity, but it is left out of the fingerprint: in it, an escalation would be
//     a second alert, and the first one would never resolve.
//   - Easing from page to ticket tells nobody, but is noted: a page that comes back is told again, as an escalation. For
//     a receiver that takes only pages, an alert that eases to a ticket has resolved.
//   - Pending means that a tier's short window burns too fast and its long window not yet: trouble builds up. Nobody is
//     told. A long window that burns while the short one does not only remembers trouble that is over: that is not pending.
//   - An alert resolves when no tier is active. The short windows let that happen minutes after the trouble ends;
//     keep_firing_for holds it longer.
//   - While nothing is measured a firing alert goes on for as long as the long window of its severity remembers the trouble: a service
//     that fails so badly that it sends nothing at all has not recovered. Nothing begins to fire meanwhile.
package alert
