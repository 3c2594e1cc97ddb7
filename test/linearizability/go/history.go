package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math"
)

// A client's call.
type call struct {
	Kind    string `json:"kind"`
	Dialect string `json:"dialect"`
	Size    int    `json:"size"`
	ID      string `json:"id"`
	Name    string `json:"name"`
	Mode    string `json:"mode"`
	Standby bool   `json:"standby"`
}

// The response.
type outcome struct {
	// OK, REFUSED, ABSENT (nothing there), or UNKNOWN (no response).
	Status   string `json:"status"`
	Revision int64  `json:"revision"`
	// One of them is the right one; the v2 dialect has fewer errors than the API.
	Reasons  []string `json:"reasons"`
	Did      string   `json:"did"`
	Created  int64    `json:"created"`
	Modified int64    `json:"modified"`
	Size     int      `json:"size"`
	Count    int      `json:"count"`
	Deleted  bool     `json:"deleted"`
	Members  []member `json:"members"`
}

// A line of a history.
type record struct {
	Token   string  `json:"token"`
	Client  int     `json:"client"`
	Begin   int64   `json:"begin"`
	End     int64   `json:"end"`
	Call    call    `json:"call"`
	Outcome outcome `json:"outcome"`
	line    string
}

func (r record) changes() bool {
	switch r.Call.Kind {
	case "get", "list", "size":
		return false
	}
	return r.Outcome.Status == "OK" || r.Outcome.Status == "UNKNOWN"
}

// Returns the records of each token, and the tokens in order of appearance.
func readHistory(from io.Reader) (byToken map[string][]record, tokens []string, err error) {
	byToken = map[string][]record{}
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 1<<24)
	for n := 1; lines.Scan(); n++ {
		var r record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, nil, fmt.Errorf("line %d: %w", n, err)
		}
		r.line = lines.Text()
		if r.Outcome.Status == "UNKNOWN" {
			// It may take effect at any time, or never.
			r.End = math.MaxInt64
		}
		if byToken[r.Token] == nil {
			tokens = append(tokens, r.Token)
		}
		byToken[r.Token] = append(byToken[r.Token], r)
	}
	return byToken, tokens, lines.Err()
}
