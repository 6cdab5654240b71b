package main

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	triple "dubbo.apache.org/dubbo-go/v3/protocol/triple/triple_protocol"

	"google.golang.org/protobuf/types/known/wrapperspb"
)

// askedToFail needs escaping on the wire: a percent sign, quotes and an umlaut.
const askedToFail = `asked to fail: 100% "grüßt"`

// maxMessageBytes is the largest x-size, and about the largest request taken.
const maxMessageBytes = 64 << 20

// plainError as x-fail-code asks for a plain Go error, not for a code: see codeOfPlainError for what comes of it.
const plainError = 17

const never = math.MaxUint64

// behaviour is what the metadata of a call asks for.
type behaviour struct {
	neverEnd, greetFirst, stall bool
	endAfter, failAfter         uint64 // never unless asked
	failCode                    triple.Code
	afterClose, count           uint64
	size                        int
	delay                       time.Duration
}

// readBehaviour reads the metadata; a value that is no number is the caller's mistake and says so.
func readBehaviour(header http.Header) (behaviour, error) {
	var wrong error
	number := func(name string, otherwise, least, most uint64) uint64 {
		text := header.Get(name)
		if text == "" {
			return otherwise
		}
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil || n < least || n > most {
			wrong = triple.NewError(triple.CodeInvalidArgument, fmt.Errorf(
				"the metadata `%s` of this call is %q; the greeter takes a whole number from %d to %d", name, text, least, most))
		}
		return n
	}
	asked := behaviour{
		neverEnd:   header.Get("x-never-end") != "",
		greetFirst: header.Get("x-greet-first") != "",
		stall:      header.Get("x-stall") != "",
		endAfter:   number("x-end-after", never, 0, never),
		failAfter:  number("x-fail-after", never, 0, never),
		failCode:   triple.Code(number("x-fail-code", 9, 1, plainError)),
		afterClose: number("x-after-close", 0, 0, never),
		count:      number("x-count", 10, 0, never),
		size:       int(number("x-size", 0, 0, maxMessageBytes)),
		delay:      time.Duration(number("x-delay", 0, 0, 3_600_000)) * time.Millisecond,
	}
	return asked, wrong
}

// endsAfter says what to do after so many requests: fail (error), end (true) or go on.
func (b *behaviour) endsAfter(requests uint64) (bool, error) {
	if requests >= b.failAfter {
		return true, b.failure()
	}
	return requests >= b.endAfter, nil
}

// failure is the failure that was asked for. Its detail never reaches the client: dubbo-go drops it (see README.md).
func (b *behaviour) failure() error {
	if b.failCode == plainError {
		return errors.New(askedToFail)
	}
	failure := triple.NewError(b.failCode, errors.New(askedToFail))
	if detail, err := triple.NewErrorDetail(wrapperspb.String("ASKED_TO_FAIL")); err == nil {
		failure.AddDetail(detail)
	}
	return failure
}
