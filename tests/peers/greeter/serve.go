package greeter

import (
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
)

// Main is what every peer's main does: it reads the flags that all peers take, lets start serve calls on the
// listener, says where, and stays. More words of where may follow the address.
func Main(start func(listener net.Listener, seen *Observed) (more string, err error)) {
	port := flag.Int("port", 0, "port of the greeter; 0: any")
	observedPort := flag.Int("observed-port", 0, "port of the observed log; 0: any")
	exitOnEOF := flag.Bool("exit-on-stdin-eof", false, "end when stdin does, so that a test harness that dies takes this server along")
	flag.Parse()

	where, err := serve(*port, *observedPort, start)
	if err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
	fmt.Println("listening on", where)
	if *exitOnEOF {
		_, _ = io.Copy(io.Discard, os.Stdin)
		return
	}
	select {}
}

func serve(port, observedPort int, start func(net.Listener, *Observed) (string, error)) (string, error) {
	seen := NewObserved()
	log, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", observedPort))
	if err != nil {
		return "", err
	}
	go func() { _ = http.Serve(log, seen) }()
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return "", err
	}
	more, err := start(listener, seen)
	return fmt.Sprintf("%s observed %s%s", listener.Addr(), log.Addr(), more), err
}
