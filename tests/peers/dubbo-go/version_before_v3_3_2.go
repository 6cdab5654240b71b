//go:build before_v3_3_2

package main

import (
	"errors"
	"net/http"

	"dubbo.apache.org/dubbo-go/v3/protocol"
	"dubbo.apache.org/dubbo-go/v3/server"

	// Only newer versions are used by name.
	_ "dubbo.apache.org/dubbo-go/v3/protocol/triple"
)

// The option for Triple alone came later: here it belongs to the protocol, and has no function of its own.
func tripleOptions() []protocol.Option {
	large := func(options *protocol.Options) { options.Protocol.MaxServerRecvMsgSize = maxRequest }
	return []protocol.Option{protocol.WithTriple(), large}
}

// What a unary handler puts into its context does not reach the client, and a failure carries no metadata.
func (a unaryAnswer) AddHeaders(add http.Header)  { merge(a.response.Header(), add) }
func (a unaryAnswer) AddTrailers(add http.Header) { merge(a.response.Trailer(), add) }

func tlsOptions() ([]server.ServerOption, error) {
	return nil, errors.New("TLS came with v3.3.1")
}

// There is no way in on its port.
func attachWeb(*server.Server, string) error { return nil }
