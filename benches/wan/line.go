package main

import (
	"log"
	"math/rand/v2"
	"os"
	"time"
)

const (
	mtu = 1500
	// What may wait for the line: as much as netem keeps by default, 1,000 packets of 100 Mbit/s.
	patience = 120 * time.Millisecond
	// A sleep takes about a millisecond: a packet that is due sooner goes at once.
	nearly = 500 * time.Microsecond
)

// line carries packets one way.
type line struct {
	delay   time.Duration
	loss    float64
	perByte time.Duration
}

type packet struct {
	bytes []byte
	due   time.Time
}

func (l line) carry(from, to *os.File, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 0))
	under := make(chan packet, 1<<15)
	go deliver(under, to)
	// When what was taken before will have left.
	free := time.Now()
	for {
		bytes := make([]byte, mtu)
		length, err := from.Read(bytes)
		if err != nil {
			log.Fatal(err)
		}
		now := time.Now()
		if free.Before(now) {
			free = now
		}
		if random.Float64() < l.loss || free.Sub(now) > patience {
			continue
		}
		free = free.Add(time.Duration(length) * l.perByte)
		select {
		case under <- packet{bytes[:length], free.Add(l.delay)}:
		default:
		}
	}
}

func deliver(packets <-chan packet, to *os.File) {
	for packet := range packets {
		if wait := time.Until(packet.due); wait > nearly {
			time.Sleep(wait)
		}
		// One that the kernel does not take is lost, as on any network.
		_, _ = to.Write(packet.bytes)
	}
}
