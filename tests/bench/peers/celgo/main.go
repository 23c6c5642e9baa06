// The benchmark's set on cel-go: celgo PEERS.json PEERS.ndjson prints one JSON object.
// Every rule is one program; variables are flat, typed at check time, and converted to Go values in advance. Ages and
// months come precomputed, since the CEL standard has no civil dates: that favours this engine.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"

	"github.com/google/cel-go/cel"
)

type set struct {
	Variables map[string]string `json:"variables"`
	Rules     []struct {
		ID   string `json:"id"`
		When string `json:"when"`
	} `json:"rules"`
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "celgo:", err)
		os.Exit(1)
	}
}

func heap() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / 1e6
}

// cpuTime is what the process has computed, with its garbage collector; other programs on the machine do not count.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func typeOf(name string) *cel.Type {
	switch name {
	case "bool":
		return cel.BoolType
	case "int":
		return cel.IntType
	case "string":
		return cel.StringType
	case "list(int)":
		return cel.ListType(cel.IntType)
	default:
		return cel.ListType(cel.StringType)
	}
}

// decode gives the variables of one line as the Go values that cel-go takes.
func decode(line []byte, types map[string]string) map[string]any {
	raw := map[string]json.RawMessage{}
	check(json.Unmarshal(line, &raw))
	vars := make(map[string]any, len(raw))
	for name, value := range raw {
		var err error
		switch types[name] {
		case "bool":
			vars[name] = string(value) == "true"
		case "int":
			vars[name], err = strconv.ParseInt(string(value), 10, 64)
		case "string":
			var s string
			err = json.Unmarshal(value, &s)
			vars[name] = s
		case "list(int)":
			list := []int64{}
			err = json.Unmarshal(value, &list)
			vars[name] = list
		default:
			list := []string{}
			err = json.Unmarshal(value, &list)
			vars[name] = list
		}
		check(err)
	}
	return vars
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: celgo PEERS.json PEERS.ndjson")
		os.Exit(64)
	}
	runtime.GOMAXPROCS(1)
	text, err := os.ReadFile(os.Args[1])
	check(err)
	before := heap()
	start := time.Now()
	var s set
	check(json.Unmarshal(text, &s))
	var options []cel.EnvOption
	for name, kind := range s.Variables {
		options = append(options, cel.Variable(name, typeOf(kind)))
	}
	env, err := cel.NewEnv(options...)
	check(err)
	programs := make([]cel.Program, len(s.Rules))
	for i, rule := range s.Rules {
		ast, issues := env.Compile(rule.When)
		check(issues.Err())
		programs[i], err = env.Program(ast, cel.EvalOptions(cel.OptOptimize))
		check(err)
	}
	load := time.Since(start)
	memory := heap() - before

	file, err := os.Open(os.Args[2])
	check(err)
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	var raw [][]byte
	for lines.Scan() {
		raw = append(raw, append([]byte(nil), lines.Bytes()...))
	}
	check(lines.Err())
	residents := make([]map[string]any, len(raw))
	cpu := cpuTime()
	for i, line := range raw {
		residents[i] = decode(line, s.Variables)
	}
	decoding := cpuTime() - cpu

	eligible := make([]int, len(programs))
	cpu = cpuTime()
	for _, resident := range residents {
		activation, err := cel.NewActivation(resident)
		check(err)
		for i, program := range programs {
			value, _, err := program.Eval(activation)
			check(err)
			if value.Value() == true {
				eligible[i]++
			}
		}
	}
	elapsed := cpuTime() - cpu

	version := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if d.Path == "github.com/google/cel-go" {
				version = d.Version
			}
		}
	}
	total := 0
	byRule := map[string]int{}
	for i, n := range eligible {
		total += n
		byRule[s.Rules[i].ID] = n
	}
	n := float64(len(residents))
	check(json.NewEncoder(os.Stdout).Encode(map[string]any{
		"engine": "cel-go " + version, "residents": len(residents), "load_ms": float64(load.Microseconds()) / 1e3,
		"us_per_resident":        float64(elapsed.Nanoseconds()) / 1e3 / n,
		"us_per_resident_decode": float64(decoding.Nanoseconds()) / 1e3 / n,
		"memory_mb":              memory, "eligible": total, "by_rule": byRule,
	}))
}
