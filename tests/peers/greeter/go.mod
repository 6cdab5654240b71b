module github.com/tidewire/tidewire/tests/peers/greeter

go 1.25.0

require google.golang.org/protobuf v1.34.2
