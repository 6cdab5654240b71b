//go:build rc2

package main

import tri "dubbo.apache.org/dubbo-go/v3/protocol/triple/triple_protocol"

// 17 came with v3.2.0-rc3.
const codeOfPlainError = tri.CodeUnknown
