module github.com/tidewire/tidewire/tests/peers/connect-go

go 1.26.0

require (
	connectrpc.com/connect v1.21.1
	github.com/rs/cors v1.11.1
	github.com/tidewire/tidewire/tests/peers/greeter v0.0.0
	google.golang.org/genproto/googleapis/rpc v0.0.0-20261110000943-09e21b237f2c
)

require google.golang.org/protobuf v1.36.12 // indirect

replace github.com/tidewire/tidewire/tests/peers/greeter => ../greeter
