package main

import (
	"cmp"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"
)

const oneTry = 10 * time.Second

// Reduces a history that is not linearizable to a part that is not either: drops the calls after the one whose end
// shows it, then every call that changed nothing. Changes stay, because later calls may have seen them.
func minimise(records []record) []record {
	ends := slices.Clone(records)
	slices.SortFunc(ends, func(a, b record) int { return cmp.Compare(a.End, b.End) })
	first, _ := slices.BinarySearchFunc(ends, true, func(r record, _ bool) int {
		if isWrong(until(records, r.End)) {
			return 0
		}
		return -1
	})
	least := records
	if first < len(ends) {
		least = until(records, ends[first].End)
	}
	for i := len(least) - 1; i >= 0; i-- {
		if least[i].changes() {
			continue
		}
		if without := slices.Delete(slices.Clone(least), i, i+1); isWrong(without) {
			least = without
		}
	}
	return least
}

func isWrong(records []record) bool { return check(records, oneTry) == porcupine.Illegal }

// Returns what was known at a time: calls without a response until then may have changed something.
func until(records []record, time int64) []record {
	var known []record
	for _, r := range records {
		switch {
		case r.Begin > time:
			continue
		case r.End > time:
			if !r.changes() {
				continue
			}
			r.Outcome = outcome{Status: "UNKNOWN"}
			r.End = 1<<63 - 1
		}
		known = append(known, r)
	}
	return known
}
