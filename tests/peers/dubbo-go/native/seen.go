package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// seen is the log of one call, as the greeter keeps it.
type seen struct{ url string }

// until waits for one of these events.
func (s *seen) until(what ...string) string {
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); {
		if found := s.has(time.Second, what...); found != "" {
			return found
		}
	}
	fail(fmt.Errorf("the server never saw %v", what))
	return ""
}

// has gives the first of these events, if it is there now, or comes while new events are waited for.
func (s *seen) has(wait time.Duration, what ...string) string {
	after := 0
	for {
		events := s.after(after, wait)
		for _, event := range events {
			if slices.Contains(what, event.What) {
				return event.What
			}
			after = event.N
		}
		if len(events) == 0 {
			return ""
		}
	}
}

type event struct {
	N    int
	What string
}

func (s *seen) after(n int, wait time.Duration) []event {
	response, err := http.Get(fmt.Sprintf("%s?after=%d&wait=%d", s.url, n, wait.Milliseconds()))
	if err != nil {
		fail(err)
	}
	defer response.Body.Close()
	var news struct{ Events []event }
	if err := json.NewDecoder(response.Body).Decode(&news); err != nil {
		fail(err)
	}
	return news.Events
}
