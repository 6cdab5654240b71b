// A dubbo-go server that browsers reach without any other process.
package main

import (
	"flag"
	"fmt"
	"log"
	"slices"
	"strings"

	"dubbo.apache.org/dubbo-go/v3/protocol"
	"dubbo.apache.org/dubbo-go/v3/server"

	// What a server without a registry needs of dubbo-go/v3/imports, which would bring every registry's client.
	_ "dubbo.apache.org/dubbo-go/v3/filter/accesslog"
	_ "dubbo.apache.org/dubbo-go/v3/filter/echo"
	_ "dubbo.apache.org/dubbo-go/v3/filter/exec_limit"
	_ "dubbo.apache.org/dubbo-go/v3/filter/generic"
	_ "dubbo.apache.org/dubbo-go/v3/filter/graceful_shutdown"
	_ "dubbo.apache.org/dubbo-go/v3/filter/token"
	_ "dubbo.apache.org/dubbo-go/v3/filter/tps"
	_ "dubbo.apache.org/dubbo-go/v3/protocol/protocolwrapper"
	_ "dubbo.apache.org/dubbo-go/v3/proxy/proxy_factory"

	"github.com/tidewire/tidewire/examples/dubbo-go-in-process/web"
)

func main() {
	port := flag.Int("port", 20000, "port of Triple and of the web")
	origins := flag.String("origins", "http://localhost:5173", "pages that may call, separated by commas")
	flag.Parse()
	dubbo, err := newServer(*port, strings.Split(*origins, ","))
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(dubbo.Serve())
}

// newServer takes a port that was chosen: AttachHTTPHandler wants to know it beforehand.
func newServer(port int, origins []string) (*server.Server, error) {
	dubbo, err := server.NewServer(server.WithServerProtocol(protocol.WithTriple(), protocol.WithPort(port)))
	if err != nil {
		return nil, err
	}
	if err := dubbo.Register(&Greeter{}, &greetService); err != nil {
		return nil, err
	}
	allow := func(origin string) bool { return slices.Contains(origins, origin) }
	return dubbo, dubbo.AttachHTTPHandler(web.Handler(fmt.Sprintf("127.0.0.1:%d", port), allow))
}
