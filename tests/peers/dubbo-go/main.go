// The greeter of tests/README.md on dubbo-go, through dubbo-go's own server.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"dubbo.apache.org/dubbo-go/v3/protocol"
	"dubbo.apache.org/dubbo-go/v3/server"

	"github.com/dubbogo/gost/log/logger"

	"github.com/tidewire/tidewire/tests/peers/greeter"

	// The parts of dubbo-go/v3/imports that a server without a registry needs: its default filters among them.
	_ "dubbo.apache.org/dubbo-go/v3/filter/accesslog"
	_ "dubbo.apache.org/dubbo-go/v3/filter/echo"
	_ "dubbo.apache.org/dubbo-go/v3/filter/exec_limit"
	_ "dubbo.apache.org/dubbo-go/v3/filter/generic"
	_ "dubbo.apache.org/dubbo-go/v3/filter/graceful_shutdown"
	_ "dubbo.apache.org/dubbo-go/v3/filter/token"
	_ "dubbo.apache.org/dubbo-go/v3/filter/tps"
	_ "dubbo.apache.org/dubbo-go/v3/protocol/protocolwrapper"
	_ "dubbo.apache.org/dubbo-go/v3/proxy/proxy_factory"
)

// maxRequest is the receive limit, above that of tests/README.md; dubbo-go's own is 4 MiB.
const maxRequest = "65MiB"

func main() {
	port := flag.Int("port", 0, "port of the greeter; 0: any")
	observedPort := flag.Int("observed-port", 0, "port of the observed log; 0: any")
	exitOnEOF := flag.Bool("exit-on-stdin-eof", false, "end when stdin does, so that a test harness that dies takes this server along")
	withTLS := flag.Bool("tls", false, "serve under TLS, with a certificate made for it")
	flag.Parse()

	service, log, err := start(*port, *observedPort, *withTLS)
	if err != nil {
		fmt.Fprintln(os.Stderr, "dubbo-go peer:", err)
		os.Exit(1)
	}
	fmt.Println("listening on", service, "observed", log)
	if *exitOnEOF {
		_, _ = io.Copy(io.Discard, os.Stdin)
		return
	}
	select {}
}

// start runs the greeter and the server of its log, and says where.
func start(port, observedPort int, withTLS bool) (service, log string, err error) {
	logger.SetLoggerLevel("fatal")
	seen := greeter.NewObserved()
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", observedPort))
	if err != nil {
		return "", "", err
	}
	go func() { _ = http.Serve(listener, seen) }()
	var options []server.ServerOption
	if withTLS {
		if options, err = tlsOptions(); err != nil {
			return "", "", err
		}
	}
	service, err = startGreeter(port, seen, options...)
	return service, listener.Addr().String(), err
}

func startGreeter(port int, seen *greeter.Observed, options ...server.ServerOption) (string, error) {
	// dubbo-go does not tell which port it was given, so a free one is picked for it.
	probe, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return "", err
	}
	address := probe.Addr().(*net.TCPAddr)
	if err := probe.Close(); err != nil {
		return "", err
	}

	triple := append(tripleOptions(), protocol.WithIp("127.0.0.1"), protocol.WithPort(address.Port))
	dubbo, err := server.NewServer(append(options, server.WithServerProtocol(triple...))...)
	if err != nil {
		return "", err
	}
	if err := dubbo.Register(newGreeter(seen), &greetService); err != nil {
		return "", err
	}
	if err := attachWeb(dubbo, address.String()); err != nil {
		return "", err
	}
	failed := make(chan error, 1)
	go func() { failed <- dubbo.Serve() }()
	return address.String(), waitFor(address.String(), failed)
}

// waitFor waits until somebody listens: dubbo-go does not tell when it does.
func waitFor(address string, failed <-chan error) error {
	deadline := time.After(10 * time.Second)
	for {
		if connection, err := net.Dial("tcp", address); err == nil {
			return connection.Close()
		}
		select {
		case err := <-failed:
			return errors.Join(errors.New("dubbo-go ended instead of serving"), err)
		case <-deadline:
			return fmt.Errorf("dubbo-go did not listen on %s within 10 s", address)
		case <-time.After(10 * time.Millisecond):
		}
	}
}
