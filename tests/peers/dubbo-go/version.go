//go:build !before_v3_3_2

package main

import (
	"net/http"

	"dubbo.apache.org/dubbo-go/v3/protocol"
	"dubbo.apache.org/dubbo-go/v3/protocol/triple"
	tri "dubbo.apache.org/dubbo-go/v3/protocol/triple/triple_protocol"
)

// What differs between the versions of dubbo-go: see version_before_v3_3_2.go.

// codeOfPlainError is what dubbo-go makes of a plain Go error.
const codeOfPlainError = tri.CodeBizError

func tripleOptions() []protocol.ServerOption {
	return []protocol.ServerOption{protocol.WithTriple(triple.WithMaxServerRecvMsgSize(maxRequest))}
}

func (a unaryAnswer) headers(add http.Header)  { _ = tri.SetHeader(a.ctx, add) }
func (a unaryAnswer) trailers(add http.Header) { _ = tri.SetTrailer(a.ctx, add) }
