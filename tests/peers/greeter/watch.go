package greeter

import (
	"context"
	"errors"
	"io"
	"net/http"
)

// Watched is a call of another service than the greeter's, written down as the greeter's own are.
type Watched struct{ call *call }

// Watch records `open`, and from then on how the context ends.
func (g *Greeter) Watch(ctx context.Context, method string, header http.Header) (Watched, error) {
	c, err := g.open(ctx, method, header)
	return Watched{c}, err
}

// Received records a request that was read, or why there was none.
func (w Watched) Received(err error) error {
	switch {
	case err == nil:
		w.call.message("")
	case errors.Is(err, io.EOF):
		if failure := w.call.halfClose(); failure != nil {
			return failure
		}
	default:
		w.call.requestsFailed(err)
	}
	return err
}

// Sent records a reply that was handed to the server's stack.
func (w Watched) Sent() { w.call.reply() }

// End records what the handler returned.
func (w Watched) End(err error) error { return w.call.end(err) }
