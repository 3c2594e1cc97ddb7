package main

import "slices"

// A member, with the revisions at which it was created and last written; 0 if no response has had them yet.
type member struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Created  int64  `json:"created"`
	Modified int64  `json:"modified"`
}

// The state of one token. Members are in order of registration; the first `size` of them are the cluster.
type state struct {
	known, deleted bool
	size           int
	// No write may return an older revision than this one, and no read an older state.
	revision int64
	members  []member
}

func (s state) complete() bool { return len(s.members) >= s.size }

func (s state) find(id string) int {
	return slices.IndexFunc(s.members, func(m member) bool { return m.ID == id })
}

func equal(a, b state) bool {
	return a.known == b.known && a.deleted == b.deleted && a.size == b.size && a.revision == b.revision &&
		slices.Equal(a.members, b.members)
}

// The result of a call by the rules: why it is rejected, or the state after it, whether it changed anything, and
// whether that was a new member.
type verdict struct {
	reason        string
	changed, made bool
	after         state
}

func refused(reason string) verdict { return verdict{reason: reason} }

func decide(s state, c call) verdict {
	if c.Kind == "create" {
		return decideCreate(s, c)
	}
	if !s.known {
		return refused("TOKEN_NOT_FOUND")
	}
	if c.Kind == "get" {
		return verdict{after: s}
	}
	if s.deleted {
		if c.Kind == "delete" {
			return verdict{after: s}
		}
		return refused("TOKEN_DELETED")
	}
	switch c.Kind {
	case "register":
		return decideRegister(s, c)
	case "deregister":
		return decideDeregister(s, c)
	case "delete":
		after := s
		after.deleted = true
		return verdict{changed: true, after: after}
	case "reopen":
		return verdict{changed: true, after: s}
	case "list", "size":
		return verdict{after: s}
	}
	panic("there is no call " + c.Kind)
}

func decideCreate(s state, c call) verdict {
	switch {
	case !s.known:
		return verdict{changed: true, after: state{known: true, size: c.Size, revision: s.revision}}
	case s.deleted:
		return refused("TOKEN_DELETED")
	case s.size != c.Size:
		return refused("TOKEN_EXISTS")
	}
	return verdict{after: s}
}

func decideRegister(s state, c call) verdict {
	at := s.find(c.ID)
	if at < 0 {
		switch {
		case c.Mode == "REPLACE":
			return refused("MEMBER_NOT_FOUND")
		case s.complete() && !c.Standby:
			return refused("CLUSTER_FULL")
		}
		after := s
		after.members = append(slices.Clone(s.members), member{ID: c.ID, Name: c.Name})
		return verdict{changed: true, made: true, after: after}
	}
	switch {
	case s.members[at].Name == c.Name:
		return verdict{after: s}
	case c.Mode == "CREATE":
		return refused("MEMBER_EXISTS")
	case s.complete() && at < s.size:
		return refused("CLUSTER_FORMED")
	}
	after := s
	after.members = slices.Clone(s.members)
	after.members[at].Name = c.Name
	after.members[at].Modified = 0
	return verdict{changed: true, after: after}
}

func decideDeregister(s state, c call) verdict {
	at := s.find(c.ID)
	switch {
	case at < 0:
		return refused("MEMBER_NOT_FOUND")
	case s.complete() && at < s.size:
		return refused("CLUSTER_FORMED")
	}
	after := s
	after.members = slices.Delete(slices.Clone(s.members), at, at+1)
	return verdict{changed: true, after: after}
}
