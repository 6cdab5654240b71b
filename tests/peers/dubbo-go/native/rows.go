package main

import (
	"context"
	"fmt"
	"strings"

	tri "dubbo.apache.org/dubbo-go/v3/protocol/triple/triple_protocol"
)

type row struct {
	name string
	run  func(*native) string
}

// rows are called as in tests/js/interop/rows.mjs.
var rows = []row{
	{"unary", unary},
	{"send", sends},
	{"half-close", halfClose},
	{"receive", receives},
	{"leave", leaves},
	{"cancel-blocked", cancelBlocked},
	{"cancel-before-headers", cancelBeforeHeaders},
	{"cancel-after-half-close", cancelAfterHalfClose},
	{"deadline", deadline},
	{"server-error", serverError},
	{"never-ends", neverEnds},
	{"ends-early", endsEarly},
	{"afterwards", afterwards},
	{"freed", freed},
}

func unary(n *native) string {
	reply, err := n.unary("Ada")
	return fmt.Sprintf("%s; error: %s", reply, words(err))
}

func sends(n *native) string {
	s := n.open(context.Background())
	for range 3 {
		s.conversation()
	}
	return "each answer before the next `Send`"
}

func halfClose(n *native) string {
	s := n.open(context.Background(), "x-after-close", "3")
	s.conversation()
	closed := s.CloseRequest()
	s.until("half-close")
	var heard []string
	reply, err := s.receive()
	for ; err == nil; reply, err = s.receive() {
		heard = append(heard, reply)
	}
	return fmt.Sprintf("`CloseRequest`: %s; then %s", words(closed), strings.Join(heard, ", "))
}

func receives(n *native) string {
	s := n.open(context.Background())
	s.conversation()
	_ = s.CloseRequest()
	_, first := s.receive()
	_, second := s.receive()
	return fmt.Sprintf("`Receive` at the end: %s; again: %s", words(first), words(second))
}

func leaves(n *native) string {
	s := n.open(context.Background(), "x-never-end", "1")
	defer s.cancel()
	s.conversation()
	closed := within(begin(s.CloseResponse), stays)
	return fmt.Sprintf("`CloseResponse`: %s; %s", closed, s.told())
}

func cancelBlocked(n *native) string {
	s := n.open(context.Background())
	s.conversation()
	receive := s.receiveUntilBlocked()
	s.cancel()
	return fmt.Sprintf("`Receive`: %s; %s", within(receive, stays), s.told())
}

func cancelBeforeHeaders(n *native) string {
	s := n.open(context.Background(), "x-stall", "1")
	receive := s.receiveUntilBlocked()
	s.cancel()
	what := within(receive, stays)
	if s.has(0, "open") != "" {
		return fmt.Sprintf("`Receive`: %s", what)
	}
	return fmt.Sprintf("`Receive` before the first `Send`: %s; the server has not seen the call", what)
}

func cancelAfterHalfClose(n *native) string {
	s := n.open(context.Background(), "x-never-end", "1")
	s.conversation()
	_ = s.CloseRequest()
	s.until("half-close")
	receive := s.receiveUntilBlocked()
	s.cancel()
	first := within(receive, limit)
	_, second := s.receive()
	return fmt.Sprintf("`Receive`: %s; again: %s; %s", first, words(second), s.told())
}

func deadline(n *native) string {
	ctx, cancel := context.WithTimeout(context.Background(), stays/2)
	defer cancel()
	s := n.open(ctx)
	s.conversation()
	receive := s.receiveUntilBlocked()
	<-ctx.Done()
	return fmt.Sprintf("`Receive`: %s; the handler %s", within(receive, stays), s.ended())
}

func serverError(n *native) string {
	s := n.open(context.Background(), "x-fail-after", "1")
	s.conversation()
	_, err := s.receive()
	_, again := s.receive()
	details := 0
	if wire, ok := err.(*tri.Error); ok {
		details = len(wire.Details())
	}
	return fmt.Sprintf("`Receive`: %s, details: %d; again: %s", words(err), details, words(again))
}

func neverEnds(n *native) string {
	s := n.open(context.Background(), "x-never-end", "1")
	s.conversation()
	_ = s.CloseRequest()
	s.until("half-close")
	receive := s.receiveUntilBlocked()
	alone := within(receive, stays)
	s.cancel()
	return fmt.Sprintf("after `CloseRequest`, `Receive`: %s; after a cancel as well: %s", alone, within(receive, limit))
}

func endsEarly(n *native) string {
	s := n.open(context.Background(), "x-end-after", "1")
	s.conversation()
	s.until("end")
	_, received := s.receive()
	return fmt.Sprintf("`Send`: %s; `Receive`: %s", words(s.send("late")), words(received))
}

func afterwards(n *native) string {
	ended := n.open(context.Background())
	ended.conversation()
	_ = ended.CloseRequest()
	_, _ = ended.receive()

	failed := n.open(context.Background(), "x-fail-after", "1")
	failed.conversation()
	_, _ = failed.receive()

	left := n.open(context.Background())
	left.conversation()
	left.cancel()
	_, _ = left.receive()

	says := func(how string, s *stream) string {
		_, err := s.receive()
		return fmt.Sprintf("after %s `Send`: %s, `Receive`: %s", how, words(s.send("late")), words(err))
	}
	return strings.Join([]string{says("OK", ended), says("failed_precondition", failed), says("a cancel", left)}, "; ")
}

func freed(n *native) string {
	var left []*stream
	for range 3 {
		s := n.open(context.Background())
		s.conversation()
		left = append(left, s)
	}
	receives := make([]<-chan error, len(left))
	for i, s := range left {
		receives[i] = s.receiveUntilBlocked()
		s.cancel()
	}
	_ = within(receives[0], stays)
	goroutines, handlers := 0, 0
	for i, s := range left {
		if len(receives[i]) == 0 {
			goroutines++
		}
		if s.has(0, "end") == "" {
			handlers++
		}
	}
	return fmt.Sprintf("%v after the cancel of 3 calls that wait, %d goroutines and %d handlers are left", stays, goroutines, handlers)
}

// told says whether the server was told, and how.
func (s *stream) told() string {
	if found := s.has(stays, "cancelled", "end"); found != "" {
		return "the server sees it"
	}
	return "the server is not told"
}

// ended says whether the server's handler was freed.
func (s *stream) ended() string {
	if s.has(0, "end") != "" {
		return "ends"
	}
	return "goes on"
}

// words are those of an error that are the same each time.
func words(err error) string {
	if err == nil {
		return "nil"
	}
	text := err.Error()
	code := tri.CodeOf(err).String()
	switch {
	case tri.IsEnded(err):
		return code + ", `io.EOF`"
	case strings.Contains(text, "incomplete envelope"):
		return code + ", incomplete envelope"
	}
	return code
}
