package greeter

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"
)

// AskedToFail needs escaping on the wire: a percent sign, quotes and an umlaut.
const AskedToFail = `asked to fail: 100% "grüßt"`

// MaxMessageBytes is the largest x-size, and about the largest request taken.
const MaxMessageBytes = 64 << 20

const never = math.MaxUint64

// behaviour is what the metadata of a call asks for.
type behaviour struct {
	neverEnd, greetFirst, stall bool
	endAfter, failAfter         uint64 // never unless asked
	failCode                    uint32
	afterClose, count           uint64
	size                        int
	delay                       time.Duration
}

// readBehaviour reads the metadata; a value that is no number is the caller's mistake and says so.
func readBehaviour(header http.Header, maxCode uint32) (behaviour, error) {
	var wrong error
	number := func(name string, otherwise, least, most uint64) uint64 {
		text := header.Get(name)
		if text == "" {
			return otherwise
		}
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil || n < least || n > most {
			wrong = fmt.Errorf("the metadata `%s` of this call is %q; the greeter takes a whole number from %d to %d",
				name, text, least, most)
		}
		return n
	}
	asked := behaviour{
		neverEnd:   header.Get("x-never-end") != "",
		greetFirst: header.Get("x-greet-first") != "",
		stall:      header.Get("x-stall") != "",
		endAfter:   number("x-end-after", never, 0, never),
		failAfter:  number("x-fail-after", never, 0, never),
		failCode:   uint32(number("x-fail-code", 9, 1, uint64(maxCode))),
		afterClose: number("x-after-close", 0, 0, never),
		count:      number("x-count", 10, 0, never),
		size:       int(number("x-size", 0, 0, MaxMessageBytes)),
		delay:      time.Duration(number("x-delay", 0, 0, 3_600_000)) * time.Millisecond,
	}
	return asked, wrong
}
