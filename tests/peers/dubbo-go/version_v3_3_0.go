//go:build before_v3_3_2 && !rc2

package main

import tri "dubbo.apache.org/dubbo-go/v3/protocol/triple/triple_protocol"

const codeOfPlainError = tri.CodeBizError
