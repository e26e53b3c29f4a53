// A small service under the Pyroscope Go SDK, for tests/e2e/test_agents.py.
//
//	agent URL NAME    URL: where the SDK sends to; NAME: the application
//
// It serves net/http/pprof and prints that address. At the line "stop" on standard input it flushes and stops the SDK, which
// frees the CPU profiler for net/http/pprof, and prints "stopped"; it ends with its input. What goes wrong is on standard error.
package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/grafana/pyroscope-go"
)

type order struct {
	ID    int
	Name  string
	Attrs map[string]string
}

var (
	sink   any
	sinkMu sync.Mutex
)

// encode burns CPU and allocates.
func encode() {
	orders := make([]order, 50)
	for i := range orders {
		orders[i] = order{i, fmt.Sprintf("order-%d", i), map[string]string{"a": "1", "b": "2"}}
	}
	raw, err := json.Marshal(orders)
	if err != nil {
		log.Fatal(err)
	}
	sum := sha256.Sum256(raw)
	sinkMu.Lock()
	defer sinkMu.Unlock()
	sink = sum[:]
}

// contend holds the lock that encode needs, so that mutex and block profiles are not empty.
func contend() {
	sinkMu.Lock()
	defer sinkMu.Unlock()
	time.Sleep(2 * time.Millisecond)
}

func work(region string) {
	pyroscope.TagWrapper(context.Background(), pyroscope.Labels("region", region), func(context.Context) {
		for {
			encode()
		}
	})
}

type logger struct{}

func (logger) Infof(string, ...interface{})              {}
func (logger) Debugf(string, ...interface{})             {}
func (logger) Errorf(format string, args ...interface{}) { log.Printf("SDK error: "+format, args...) }

func startSDK(url, name string) *pyroscope.Profiler {
	profiler, err := pyroscope.Start(pyroscope.Config{
		ApplicationName: name,
		ServerAddress:   url,
		Tags:            map[string]string{"env": "test"},
		UploadRate:      2 * time.Second,
		Logger:          logger{},
		ProfileTypes: []pyroscope.ProfileType{
			pyroscope.ProfileCPU, pyroscope.ProfileAllocObjects, pyroscope.ProfileAllocSpace, pyroscope.ProfileInuseObjects,
			pyroscope.ProfileInuseSpace, pyroscope.ProfileGoroutines, pyroscope.ProfileMutexCount, pyroscope.ProfileMutexDuration,
			pyroscope.ProfileBlockCount, pyroscope.ProfileBlockDuration,
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	return profiler
}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: agent URL NAME")
	}
	runtime.SetMutexProfileFraction(1)
	runtime.SetBlockProfileRate(1)
	profiler := startSDK(os.Args[1], os.Args[2])
	go work("eu")
	go func() {
		for {
			contend()
			time.Sleep(5 * time.Millisecond)
		}
	}()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(listener, nil)) }()
	fmt.Printf("http://%s/debug/pprof/\n", listener.Addr())
	input := bufio.NewScanner(os.Stdin)
	for input.Scan() {
		if input.Text() == "stop" {
			profiler.Flush(true)
			if err := profiler.Stop(); err != nil {
				log.Fatal(err)
			}
			fmt.Println("stopped")
		}
	}
}
