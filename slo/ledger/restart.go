package ledger

// Restart replaces an account by an empty one that begins at its watermark: what the objective counts from then on cannot be added to
// what it counted before. The old minutes are deleted when they are as old as Prune deletes others.
func (l *Ledger) Restart(a *Account, indicator string) (*Account, error) {
	start := a.Next
	if err := l.accounts.Delete([]byte(a.Name)); err != nil {
		return nil, err
	}
	fresh, _, err := l.Open(a.Name, start, indicator)
	return fresh, err
}
