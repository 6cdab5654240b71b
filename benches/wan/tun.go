package main

import (
	"os"
	"strings"
	"syscall"
	"unsafe"
)

// linux/if_tun.h
const (
	setInterface = 0x400454ca
	tun          = 0x0001
	bare         = 0x1000 // packets without a word before them
)

// openTun makes a device in the namespace of the calling thread; it goes when the file is closed.
func openTun() (device *os.File, name string, err error) {
	file, err := syscall.Open("/dev/net/tun", syscall.O_RDWR|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, "", err
	}
	request := struct {
		name  [16]byte
		flags uint16
		_     [22]byte
	}{flags: tun | bare}
	copy(request.name[:], "wan%d")
	_, _, failed := syscall.Syscall(syscall.SYS_IOCTL, uintptr(file), setInterface, uintptr(unsafe.Pointer(&request)))
	if failed != 0 {
		_ = syscall.Close(file)
		return nil, "", failed
	}
	return os.NewFile(uintptr(file), "/dev/net/tun"), strings.TrimRight(string(request.name[:]), "\x00"), nil
}
