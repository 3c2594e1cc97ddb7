// Checks whether histories of concurrent calls are linearizable: whether the calls on each token could have had their
// outcomes one after the other, in some order that agrees with the begin and end of each.
//
//	linearizable [-limit 60s] [-html FILE] <HISTORY.jsonl
//
// Prints how much it checked and exits with 0, or prints the smallest part of the first history that is not
// linearizable and exits with 1. It exits with 2 if it reaches no verdict.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/anishathalye/porcupine"
)

var model = porcupine.Model{
	Init:              func() any { return state{} },
	Step:              func(s, c, o any) (bool, any) { return step(s.(state), c.(call), o.(outcome)) },
	Equal:             func(a, b any) bool { return equal(a.(state), b.(state)) },
	DescribeOperation: func(c, o any) string { return fmt.Sprintf("%+v -> %+v", c, o) },
	DescribeState:     func(s any) string { return fmt.Sprintf("%+v", s) },
}

func main() {
	limit := flag.Duration("limit", time.Minute, "for each token")
	html := flag.String("html", "", "file for a drawing of what is wrong")
	flag.Parse()
	byToken, tokens, err := readHistory(os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	calls, unknown := 0, 0
	for _, token := range tokens {
		records := byToken[token]
		calls += len(records)
		for _, r := range records {
			if r.Outcome.Status == "UNKNOWN" {
				unknown++
			}
		}
		switch check(records, *limit) {
		case porcupine.Unknown:
			fmt.Printf("%s: no verdict on its %d calls in %s\n", token, len(records), *limit)
			os.Exit(2)
		case porcupine.Illegal:
			report(token, records, *html)
			os.Exit(1)
		}
	}
	fmt.Printf("%d tokens, %d calls, %d of them without a response: linearizable\n", len(tokens), calls, unknown)
}

func check(records []record, limit time.Duration) porcupine.CheckResult {
	return porcupine.CheckOperationsTimeout(model, operations(records), limit)
}

func operations(records []record) []porcupine.Operation {
	all := make([]porcupine.Operation, len(records))
	for i, r := range records {
		all[i] = porcupine.Operation{ClientId: r.Client, Input: r.Call, Call: r.Begin, Output: r.Outcome, Return: r.End}
	}
	return all
}

func report(token string, records []record, html string) {
	least := minimise(records)
	fmt.Printf("%s: not linearizable; %d of %d calls are enough to show it:\n", token, len(least), len(records))
	for _, r := range least {
		fmt.Println(r.line)
	}
	if html == "" {
		return
	}
	_, info := porcupine.CheckOperationsVerbose(model, operations(least), time.Minute)
	if err := porcupine.VisualizePath(model, info, html); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}
