// SPDX-License-Identifier: MIT
// driver.go - driver.c's work for Go: goroutines, clock, one line of JSON.  The
// contender has a name, and do, which does the work or calls absent.

package main

import (
	"fmt"
	"os"
	"runtime"
	"sort"
	"strconv"
	"sync"
	"syscall"
	"time"
)

const hash = 0x9E3779B97F4A7C15

// An item of 8 to 256 bytes.
type item interface {
	[1]uint64 | [2]uint64 | [4]uint64 | [8]uint64 | [16]uint64 | [32]uint64
}

type work struct {
	producers, consumers, capacity, size, batch, items, rate uint64
	span                                                     time.Duration
}

// What one goroutine did, on cache lines of its own.
type part struct {
	items, sum, hash uint64
	result           uint64 // so that it is made use of
	late             []int64
	began, ended     time.Time
	_                [128]byte
}

func take[T item](p *part, it T) {
	p.items++
	p.sum += it[0]
	p.hash ^= it[len(it)-1] * hash
}

// Nanoseconds.
type costs struct {
	wall, cpu, switches int64
}

const thisThread = 1 // RUSAGE_THREAD

// Of the process, or of this thread, until now.
func usage(who int) costs {
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		panic(err)
	}
	return costs{0, u.Utime.Nano() + u.Stime.Nano(), int64(u.Nvcsw) + int64(u.Nivcsw)}
}

// Lets all go at once; prints what they did if that is wanted, and what it cost:
// what they measured themselves rather than what was measured around them.
func crew(jobs []func(*part), print bool, measured *costs) {
	parts := make([]part, len(jobs))
	var ready, done sync.WaitGroup
	gate := make(chan struct{})
	for i := range jobs {
		ready.Add(1)
		done.Add(1)
		go func(p *part, job func(*part)) {
			ready.Done()
			<-gate
			p.began = time.Now()
			job(p)
			p.ended = time.Now()
			done.Done()
		}(&parts[i], jobs[i])
	}
	ready.Wait()
	before := usage(syscall.RUSAGE_SELF)
	close(gate)
	done.Wait()
	after := usage(syscall.RUSAGE_SELF)
	all := part{began: parts[0].began, ended: parts[0].ended}
	for i := range parts {
		p := &parts[i]
		all.items += p.items
		all.sum += p.sum
		all.hash ^= p.hash
		all.late = append(all.late, p.late[len(p.late)/10:]...) // the first are still coming up
		if p.began.Before(all.began) {
			all.began = p.began
		}
		if p.ended.After(all.ended) {
			all.ended = p.ended
		}
	}
	if !print {
		return
	}
	cost := costs{all.ended.Sub(all.began).Nanoseconds(), after.cpu - before.cpu,
		after.switches - before.switches}
	if measured != nil && measured.wall > 0 {
		cost.wall = measured.wall
	}
	if measured != nil && measured.switches >= 0 {
		cost.cpu, cost.switches = measured.cpu, measured.switches
	}
	fmt.Printf(`{"wall_ns":%d,"cpu_ns":%d,"switches":%d,"items":%d,"sum":%d,"xor":%d`,
		cost.wall, cost.cpu, cost.switches, all.items, all.sum, all.hash)
	if n := len(all.late); n > 0 {
		sort.Slice(all.late, func(a, b int) bool { return all.late[a] < all.late[b] })
		fmt.Printf(`,"p50_ns":%d,"p99_ns":%d,"p999_ns":%d,"max_ns":%d`,
			all.late[n/2], all.late[n*99/100], all.late[n*999/1000], all.late[n-1])
	}
	fmt.Println("}")
}

func absent(why string) {
	fmt.Printf("{\"absent\":\"%s\"}\n", why)
	os.Exit(3)
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "about" {
		fmt.Printf("{\"name\":\"%s\",\"version\":\"%s\",\"bounded\":true,\"batches\":false}\n",
			name, runtime.Version())
		return
	}
	var n [9]uint64
	for i := range n {
		var err error
		if len(os.Args) == 11 {
			n[i], err = strconv.ParseUint(os.Args[i+2], 10, 64)
		}
		if len(os.Args) != 11 || err != nil {
			fmt.Fprintln(os.Stderr, "go: this is one contender; weir-bench runs them")
			os.Exit(2)
		}
	}
	w := work{n[0], n[1], n[2], n[3], n[4], n[5], n[6],
		time.Duration(n[8]) * time.Microsecond}
	if w.batch > 1 {
		absent("no batches")
	}
	if n[7] == 1 {
		absent("goroutines cannot be bound")
	}
	do(os.Args[1], w)
}
