package main

import "slices"

// Returns whether a call may have this outcome in this state, and the state after it.
func step(s state, c call, o outcome) (bool, state) {
	v := decide(s, c)
	switch o.Status {
	case "UNKNOWN":
		if v.reason != "" || !v.changed {
			return true, s
		}
		return true, v.after
	case "REFUSED":
		// In etcd's dialects a deleted token cannot be deleted again.
		if c.Kind == "delete" && s.deleted {
			return slices.Contains(o.Reasons, "TOKEN_DELETED"), s
		}
		return v.reason != "" && slices.Contains(o.Reasons, v.reason), s
	// The v3 dialect's response if nothing is there: no keys, or no key deleted.
	case "ABSENT":
		return v.reason == "TOKEN_NOT_FOUND" || v.reason == "MEMBER_NOT_FOUND", s
	case "OK":
		if v.reason != "" || o.Revision < s.revision || (v.changed && o.Revision == s.revision) {
			return false, s
		}
		return told(v, c, o)
	}
	panic("there is no outcome " + o.Status)
}

// Checks the facts of a response, and learns those that were unknown.
func told(v verdict, c call, o outcome) (bool, state) {
	s := v.after
	s.revision = o.Revision
	switch c.Kind {
	case "create":
		return o.Did == "" || (o.Did == "CREATED") == v.changed, s
	case "size":
		return o.Size == s.size, s
	case "get":
		return o.Size == s.size && o.Deleted == s.deleted && (s.deleted || o.Count == len(s.members)), s
	case "list":
		return toldMembers(s, o)
	case "register":
		return toldMember(v, s, c, o)
	}
	return true, s
}

func toldMember(v verdict, s state, c call, o outcome) (bool, state) {
	at := s.find(c.ID)
	m := s.members[at]
	if v.changed {
		m.Modified = o.Revision
	}
	if v.made {
		m.Created = o.Revision
	}
	if !learn(&m, member{Created: o.Created, Modified: o.Modified}) {
		return false, s
	}
	s.members = slices.Clone(s.members)
	s.members[at] = m
	switch o.Did {
	case "":
		return true, s
	case "UNCHANGED":
		return !v.changed, s
	case "CREATED":
		return v.made, s
	}
	return v.changed && !v.made, s
}

func toldMembers(s state, o outcome) (bool, state) {
	if len(s.members) != len(o.Members) {
		return false, s
	}
	after := slices.Clone(s.members)
	last := int64(0)
	for i, m := range o.Members {
		if m.ID != after[i].ID || m.Name != after[i].Name || m.Created <= last || m.Modified > o.Revision {
			return false, s
		}
		last = m.Created
		if !learn(&after[i], m) {
			return false, s
		}
	}
	s.members = after
	return true, s
}

// Learns unknown revisions; false if known ones differ.
func learn(known *member, told member) bool {
	return agree(&known.Created, told.Created) && agree(&known.Modified, told.Modified)
}

func agree(known *int64, told int64) bool {
	if *known == 0 {
		*known = told
	}
	return told == 0 || *known == told
}
