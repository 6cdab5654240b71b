// Command wan runs a program behind a network that takes time and loses packets:
//
//	wan -rtt 50ms -loss 0.01 -mbit 100 -- PROGRAM [ARGUMENT...]
//
// Two network namespaces, a TUN device in each, and this process between them: it forwards IP packets, each after half
// the round trip, at the given rate, and drops some. So it is the kernel's own TCP that meets the delay and the loss, as
// behind netem, which not every kernel has. The program runs in the one namespace, at 198.18.0.2; the first line that is
// printed names the other one, for `nsenter --net=`. All of it is gone with this process.
//
// Linux only, and for root.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// RFC 2544 keeps this network for benchmarks.
const (
	near = "198.18.0.1/30"
	far  = "198.18.0.2/30"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("wan: ")
	rtt := flag.Duration("rtt", 0, "round trip time")
	loss := flag.Float64("loss", 0, "how many of the packets are lost each way, from 0 to 1")
	mbit := flag.Float64("mbit", 100, "megabits a second, each way")
	seed := flag.Uint64("seed", 1, "decides which packets are lost")
	flag.Parse()
	if flag.NArg() == 0 {
		log.Fatal("usage: wan [-rtt 50ms] [-loss 0.01] [-mbit 100] [-seed 1] -- PROGRAM [ARGUMENT...]")
	}

	here := namespace(near, nil)
	there := namespace(far, flag.Args())
	fmt.Println("page network", here.path)
	line := line{delay: *rtt / 2, loss: *loss, perByte: time.Duration(8000 / *mbit)}
	go line.carry(here.device, there.device, *seed)
	go line.carry(there.device, here.device, *seed+1)
	close(there.start)
	os.Exit(<-there.ended)
}

// place is a network namespace: it lives as long as the thread that made it.
type place struct {
	// Where the kernel shows it.
	path   string
	device *os.File
	// Lets its program begin.
	start chan struct{}
	// How its program ended.
	ended chan int
}

// namespace makes one with an address, and a program in it if there is one.
func namespace(address string, program []string) place {
	made := make(chan place)
	go func() {
		// For ever: another goroutine must never come by this thread.
		runtime.LockOSThread()
		if err := syscall.Unshare(syscall.CLONE_NEWNET); err != nil {
			log.Fatalf("no network namespace can be made: %v; this needs Linux, and root", err)
		}
		device, name, err := openTun()
		if err != nil {
			log.Fatalf("no TUN device can be made: %v; this needs /dev/net/tun", err)
		}
		configure(name, address)
		place := place{
			path:   fmt.Sprintf("/proc/%d/task/%d/ns/net", os.Getpid(), syscall.Gettid()),
			device: device,
			start:  make(chan struct{}),
			ended:  make(chan int, 1),
		}
		made <- place
		if program == nil {
			select {}
		}
		<-place.start
		place.ended <- run(program)
	}()
	return <-made
}

func configure(name, address string) {
	for _, words := range [][]string{
		{"link", "set", "lo", "up"},
		{"address", "add", address, "dev", name},
		// Nothing may be lost for want of a processor.
		{"link", "set", name, "mtu", fmt.Sprint(mtu), "txqueuelen", "10000", "up"},
	} {
		if said, err := exec.Command("ip", words...).CombinedOutput(); err != nil {
			log.Fatalf("ip %v: %v: %s", words, err, said)
		}
	}
	// What one connection learned must not slow the next one down.
	if err := os.WriteFile("/proc/sys/net/ipv4/tcp_no_metrics_save", []byte("1"), 0); err != nil {
		log.Fatal(err)
	}
}

func run(program []string) int {
	command := exec.Command(program[0], program[1:]...)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := command.Run(); err != nil {
		log.Print(err)
		return 1
	}
	return 0
}
