//go:build !before_v3_3_2

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"dubbo.apache.org/dubbo-go/v3/protocol"
	"dubbo.apache.org/dubbo-go/v3/protocol/triple"
	tri "dubbo.apache.org/dubbo-go/v3/protocol/triple/triple_protocol"
	"dubbo.apache.org/dubbo-go/v3/server"
	"dubbo.apache.org/dubbo-go/v3/tls"

	"github.com/tidewire/tidewire/examples/dubbo-go-in-process/web"
)

// What differs between the versions of dubbo-go: see version_before_v3_3_2.go.

// codeOfPlainError is what dubbo-go makes of a plain Go error.
const codeOfPlainError = tri.CodeBizError

func tripleOptions() []protocol.ServerOption {
	// A page may see what is not listed here only if it is of the server's own origin.
	cors := triple.WithCORS(triple.CORSAllowOrigins("*"), triple.CORSExposeHeaders("*"))
	return []protocol.ServerOption{protocol.WithTriple(triple.WithMaxServerRecvMsgSize(maxRequest), cors)}
}

func (a unaryAnswer) AddHeaders(add http.Header)  { _ = tri.SetHeader(a.ctx, add) }
func (a unaryAnswer) AddTrailers(add http.Header) { _ = tri.SetTrailer(a.ctx, add) }

// tlsOptions name a certificate that is made for this process.
func tlsOptions() ([]server.ServerOption, error) {
	folder, err := os.MkdirTemp("", "dubbo-go-peer")
	if err != nil {
		return nil, err
	}
	certificate, key := filepath.Join(folder, "certificate.pem"), filepath.Join(folder, "key.pem")
	if err := selfSign(certificate, key); err != nil {
		return nil, err
	}
	// With a CA file as well, clients would need certificates.
	return []server.ServerOption{server.WithServerTLSOption(tls.WithCertFile(certificate), tls.WithKeyFile(key))}, nil
}

func selfSign(certificateFile, keyFile string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	certificate, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(certificateFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}), 0o600),
		os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600),
	)
}

// attachWeb lets browsers in on the same port, below /web, as examples/dubbo-go-in-process does.
func attachWeb(dubbo *server.Server, address string) error {
	return dubbo.AttachHTTPHandler(web.Handler(address, func(string) bool { return true }))
}
