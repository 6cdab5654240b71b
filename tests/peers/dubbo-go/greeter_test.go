package main

import (
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/tidewire/tidewire/tests/peers/greeter"
)

func TestUnaryGreetsAndIsWrittenDown(t *testing.T) {
	client := with(t)
	if reply, err := client.unary("Ada"); err != nil || reply != "Hello, Ada" {
		t.Fatal(reply, err)
	}
	client.saw("open message reply end")
	client.ended(0, 1)
	events := client.sawUntil("end")
	if open := events[0].Detail; open.Method != "Greet" || open.Metadata["content-type"][0] != "application/grpc" {
		t.Fatalf("%+v", open)
	}
	if message := events[1].Detail; message.Count != 1 || message.Name != "Ada" {
		t.Fatalf("%+v", message)
	}
}

func TestBidiAnswersInBetweenAndEndsAfterHalfClose(t *testing.T) {
	talk := with(t).open("GreetStream")
	for _, name := range []string{"Ada", "Grace"} {
		talk.send(name)
		talk.hears("Hello, " + name)
	}
	talk.closeSend()
	if _, err := talk.receive(); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	if greeted := talk.Trailer().Get("greeted"); !slices.Equal(greeted, []string{"2"}) {
		t.Fatal(greeted)
	}
	talk.saw("open message reply message half-close end")
}

func TestAClientStreamIsAnsweredOnceAfterHalfClose(t *testing.T) {
	upload := with(t).open("GreetClientStream")
	upload.send("Ada", "Grace", "Edsger")
	upload.closeSend()
	upload.hears("Hello, Ada, Grace, Edsger")
	if _, err := upload.receive(); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	upload.saw("open message message message half-close reply end")
}

func TestAServerStreamHasTenRepliesUnlessTold(t *testing.T) {
	download := with(t).open("GreetServerStream")
	download.send("Ada")
	download.closeSend()
	for n := 1; n <= 10; n++ {
		download.hears("Hello, Ada " + strconv.Itoa(n))
	}
	if _, err := download.receive(); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	download.saw("open message reply end")

	padded := with(t, "x-count", "3", "x-size", "100000").open("GreetServerStream")
	padded.send("Ada")
	padded.closeSend()
	for range 3 {
		if reply, err := padded.receive(); err != nil || len(reply) != 100_000 {
			t.Fatal(len(reply), err)
		}
	}
}

func TestAMessageOfFortyMegabytesGoesBothWays(t *testing.T) {
	client, name := with(t), strings.Repeat("x", 40<<20)
	if reply, err := client.unary(name); err != nil || len(reply) != len(name)+len("Hello, ") {
		t.Fatal(len(reply), err)
	}
	if seen := client.sawUntil("message")[1].Detail.Name; seen != name[:64] {
		t.Fatal(seen)
	}
}

func TestHeadersComeBackTwice(t *testing.T) {
	pairs := []string{"echo-a", "1", "echo-a", "2", "echo-b-bin", "\x00\xff", "echo-b-bin", "two", "other", "x"}
	check := func(where string, md metadata.MD) {
		t.Helper()
		if !slices.Equal(md["echo-a"], []string{"1", "2"}) || !slices.Equal(md["echo-b-bin"], []string{"\x00\xff", "two"}) {
			t.Errorf("%s: %v", where, md)
		}
		if md["other"] != nil {
			t.Errorf("%s: other came back", where)
		}
	}
	var headers, trailers metadata.MD
	if _, err := with(t, pairs...).unary("Ada", grpc.Header(&headers), grpc.Trailer(&trailers)); err != nil {
		t.Fatal(err)
	}
	check("unary headers", headers)
	check("unary trailers", trailers)
	for _, method := range []string{"GreetStream", "GreetClientStream", "GreetServerStream"} {
		call := with(t, pairs...).open(method)
		call.send("Ada")
		call.closeSend()
		for _, err := call.receive(); err == nil; _, err = call.receive() {
		}
		headers, err := call.Header()
		if err != nil {
			t.Fatal(err)
		}
		check(method+" headers", headers)
		check(method+" trailers", call.Trailer())
	}
}

func TestItFailsAsAskedWithCodeAndMessage(t *testing.T) {
	talk := with(t, "x-fail-after", "2", "echo-a", "1").open("GreetStream")
	talk.send("Ada", "Grace")
	talk.hears("Hello, Ada", "Hello, Grace")
	failure := status.Convert(talk.failure())
	if failure.Code() != codes.FailedPrecondition || failure.Message() != greeter.AskedToFail {
		t.Fatal(failure)
	}
	if sent := len(failure.Details()) > 0; sent != sendsDetails {
		t.Fatal("README.md says otherwise of the details", failure.Details())
	}
	if greeted := talk.Trailer().Get("greeted"); !slices.Equal(greeted, []string{"2"}) {
		t.Fatal(greeted)
	}
	talk.saw("open message reply message end")
	talk.ended(9, 2)
}

func TestFailingAtOnceOnEveryKind(t *testing.T) {
	for _, method := range []string{"Greet", "GreetStream", "GreetClientStream", "GreetServerStream"} {
		call := with(t, "x-fail-after", "0", "x-fail-code", "16").open(method)
		if method == "Greet" || method == "GreetServerStream" {
			call.send("Ada")
			call.closeSend()
		}
		failure := status.Convert(call.failure())
		if method == "GreetClientStream" && failedUploadPanics {
			// The reset that net/http makes of a panic.
			if failure.Code() != codes.Internal {
				t.Fatal(method, failure)
			}
		} else if failure.Code() != codes.Unauthenticated || failure.Message() != greeter.AskedToFail {
			t.Fatal(method, failure)
		}
		call.saw("open end")
		call.ended(16, 0)
	}
}

func TestAPlainGoErrorIsABizError(t *testing.T) {
	talk := with(t, "x-fail-after", "0", "x-fail-code", "17").open("GreetStream")
	if code := status.Code(talk.failure()); code != codes.Code(codeOfPlainError) {
		t.Fatal(code)
	}
	talk.ended(uint64(codeOfPlainError), 0)
}

func TestItGreetsFirstWhenAsked(t *testing.T) {
	talk := with(t, "x-greet-first", "1").open("GreetStream")
	talk.hears("Welcome")
	talk.send("Ada")
	talk.hears("Hello, Ada")
}

func TestItGoesOnSendingAfterHalfClose(t *testing.T) {
	talk := with(t, "x-after-close", "3").open("GreetStream")
	talk.send("Ada")
	talk.closeSend()
	talk.hears("Hello, Ada", "Goodbye 1", "Goodbye 2", "Goodbye 3")
	if _, err := talk.receive(); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	talk.saw("open message reply half-close end")
}

func TestItEndsEarlyThoughTheClientWouldGoOn(t *testing.T) {
	talk := with(t, "x-end-after", "1").open("GreetStream")
	talk.send("Ada")
	talk.hears("Hello, Ada")
	if _, err := talk.receive(); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	talk.saw("open message reply end")
	talk.ended(0, 1)
}

func TestACancelIsNoHalfClose(t *testing.T) {
	talk := with(t).open("GreetStream")
	talk.send("Ada")
	talk.hears("Hello, Ada")
	// It is written down behind what was heard.
	talk.sawUntil("reply")
	talk.cancel()
	talk.saw("open message reply cancelled end")
	talk.ended(1, 1)
}

func TestACancelReachesACallThatNeverEnds(t *testing.T) {
	talk := with(t, "x-never-end", "1").open("GreetStream")
	talk.closeSend()
	talk.sawUntil("half-close")
	talk.cancel()
	talk.saw("open half-close cancelled end")
}

func TestACancelReachesAGreeterThatReadsNothing(t *testing.T) {
	talk := with(t, "x-stall", "1").open("GreetStream")
	talk.send("Ada")
	talk.sawUntil("open")
	talk.cancel()
	talk.saw("open cancelled end")
}

func TestACancelReachesAClientStream(t *testing.T) {
	upload := with(t).open("GreetClientStream")
	upload.send("Ada")
	upload.sawUntil("message")
	upload.cancel()
	upload.saw("open message cancelled end")
}

func TestACancelReachesAFloodOfReplies(t *testing.T) {
	download := with(t, "x-count", strconv.FormatUint(math.MaxUint64, 10)).open("GreetServerStream")
	download.send("Ada")
	download.closeSend()
	download.hears("Hello, Ada 1")
	download.sawUntil("reply")
	download.cancel()
	if story := download.story(); !strings.HasPrefix(story, "open message reply") || !strings.HasSuffix(story, "cancelled end") {
		t.Fatal(story)
	}
}

func TestACancelReachesAUnaryCallAtWork(t *testing.T) {
	client := with(t, "x-delay", "60000")
	go func() {
		client.sawUntil("message")
		client.cancel()
	}()
	if _, err := client.unary("Ada"); status.Code(err) != codes.Canceled {
		t.Fatal(err)
	}
	client.saw("open message cancelled end")
}

func TestAUnaryHandlerIsEnteredWhenTheRequestIsRead(t *testing.T) {
	for _, method := range []string{"Greet", "GreetServerStream"} {
		silent := with(t).open(method)
		silent.cancel()
		if _, err := silent.receive(); status.Code(err) != codes.Canceled {
			t.Fatal(err)
		}
		// A whole call after it on the same connection, so that the first had its time.
		if _, err := with(t).unary("Ada"); err != nil {
			t.Fatal(err)
		}
		if events := silent.news(); len(events) != 0 {
			t.Fatal(method, "was entered", events)
		}
	}
}

func TestADeadlineEndsEveryKind(t *testing.T) {
	for _, method := range []string{"Greet", "GreetStream", "GreetClientStream", "GreetServerStream"} {
		call := with(t, "x-never-end", "1").deadline(150 * time.Millisecond).open(method)
		call.send("Ada")
		call.closeSend()
		if code := status.Code(call.failure()); code != codes.DeadlineExceeded {
			t.Fatal(method, code)
		}
		// grpc-go resets the stream when the deadline has passed, so the server may see either first.
		events := call.sawUntil("end")
		last, end := events[len(events)-2].What, events[len(events)-1].Detail.Code
		if !(last == "deadline" && end == 4 || last == "cancelled" && (end == 1 || end == 4)) {
			t.Fatal(method, call.story(), end)
		}
		if sent := events[0].Detail.Timeout; sent == nil || *sent == "" {
			t.Fatal("no grpc-timeout was written down")
		}
	}
}

func TestAWrongValueIsTheCallersFaultAndNamed(t *testing.T) {
	for name, value := range map[string]string{"x-end-after": "soon", "x-size": "67108865", "x-fail-code": "0"} {
		_, err := with(t, name, value).unary("Ada")
		if failure := status.Convert(err); failure.Code() != codes.InvalidArgument || !strings.Contains(failure.Message(), name) {
			t.Fatal(name, err)
		}
	}
}
