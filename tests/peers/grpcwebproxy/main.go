// Starts improbable's grpcwebproxy, built beside this program, with the flags that every proxy of the tests takes,
// and says where it listens in their words.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
)

// listening is what grpcwebproxy logs once its port is open.
var listening = regexp.MustCompile(`listening for http on: ([0-9.]+:[0-9]+)`)

func main() {
	port := flag.Int("port", 0, "port of the proxy; 0: any")
	upstream := flag.String("upstream", "", "HOST:PORT of the gRPC server")
	exitOnEOF := flag.Bool("exit-on-stdin-eof", false, "end when stdin does")
	flag.Parse()
	if err := run(*port, *upstream, *exitOnEOF); err != nil {
		fmt.Fprintln(os.Stderr, "grpcwebproxy:", err)
		os.Exit(1)
	}
}

func run(port int, upstream string, exitOnEOF bool) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	// Its defaults cut calls: messages of 32 KiB on a socket, responses after 10 s, messages of 4 MiB.
	proxy := exec.Command(filepath.Join(filepath.Dir(self), "grpcwebproxy"),
		"--backend_addr="+upstream, "--backend_tls=false", "--backend_max_call_recv_msg_size=68157440",
		"--server_bind_address=127.0.0.1", fmt.Sprintf("--server_http_debug_port=%d", port), "--run_tls_server=false",
		"--use_websockets", "--websocket_read_limit=1048576", "--allow_all_origins",
		"--server_http_max_write_timeout=1h", "--server_http_max_read_timeout=1h")
	log, err := proxy.StdoutPipe()
	if err != nil {
		return err
	}
	proxy.Stderr = os.Stderr
	if err := proxy.Start(); err != nil {
		return err
	}
	if exitOnEOF {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			_ = proxy.Process.Kill()
		}()
	}
	for lines := bufio.NewScanner(log); lines.Scan(); {
		if found := listening.FindStringSubmatch(lines.Text()); found != nil {
			fmt.Println("listening on", found[1])
			break
		}
	}
	_, _ = io.Copy(io.Discard, log)
	return proxy.Wait()
}
