// Writes profiles of every kind the Go runtime has, of three small workloads, into the directory given as argument.
//
//	go run . ../..
package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/pprof"
	"sort"
	"sync"
	"time"
)

var sink any

func encodeLoop(ctx context.Context) {
	type item struct {
		ID    int
		Name  string
		Attrs map[string]string
	}
	for ctx.Err() == nil {
		items := make([]item, 50)
		for i := range items {
			items[i] = item{i, fmt.Sprintf("item-%d", i), map[string]string{"a": "1", "b": "2"}}
		}
		raw, _ := json.Marshal(items)
		var out []item
		_ = json.Unmarshal(raw, &out)
		sink = out
	}
}

func compressLoop(ctx context.Context) {
	data := bytes.Repeat([]byte("the quick brown fox jumps over the lazy dog "), 400)
	for ctx.Err() == nil {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = w.Write(data)
		_ = w.Close()
		sum := sha256.Sum256(b.Bytes())
		sink = sum
	}
}

func matchLoop(ctx context.Context) {
	re := regexp.MustCompile(`(\w+)@(\w+)\.com`)
	words := make([]string, 300)
	for i := range words {
		words[i] = fmt.Sprintf("user%d@host%d.com and more text", i, i%7)
	}
	for ctx.Err() == nil {
		for _, w := range words {
			sink = re.FindStringSubmatch(w)
		}
		sort.Strings(words)
	}
}

var mu sync.Mutex

func contendLoop(ctx context.Context) {
	for ctx.Err() == nil {
		mu.Lock()
		time.Sleep(200 * time.Microsecond)
		mu.Unlock()
		runtime.Gosched()
	}
}

func write(dir, name string) {
	f, err := os.Create(filepath.Join(dir, name+".pb.gz"))
	if err != nil {
		panic(err)
	}
	defer f.Close()
	kind := name[len("go-")+len(workload)+1:]
	if err := pprof.Lookup(kind).WriteTo(f, 0); err != nil {
		panic(err)
	}
}

var workload string

func main() {
	dir := os.Args[1]
	runtime.SetBlockProfileRate(10_000)
	runtime.SetMutexProfileFraction(5)
	runtime.MemProfileRate = 64 * 1024
	loops := map[string]func(context.Context){"encode": encodeLoop, "compress": compressLoop, "match": matchLoop}
	for _, name := range []string{"encode", "compress", "match"} {
		workload = name
		ctx, cancel := context.WithCancel(context.Background())
		f, _ := os.Create(filepath.Join(dir, "go-"+name+"-cpu.pb.gz"))
		_ = pprof.StartCPUProfile(f)
		var wg sync.WaitGroup
		for i := 0; i < 4; i++ {
			wg.Add(2)
			labels := pprof.Labels("shard", fmt.Sprint(i%2))
			go func() {
				defer wg.Done()
				if name == "match" { // One file with sample labels.
					pprof.Do(ctx, labels, loops[name])
				} else {
					loops[name](ctx)
				}
			}()
			go func() { defer wg.Done(); contendLoop(ctx) }()
		}
		time.Sleep(1200 * time.Millisecond)
		write(dir, "go-"+name+"-goroutine")
		pprof.StopCPUProfile()
		f.Close()
		cancel()
		wg.Wait()
		write(dir, "go-"+name+"-heap")
		write(dir, "go-"+name+"-mutex")
		write(dir, "go-"+name+"-block")
	}
}
