// A small program with etcd's Go client library, so that the tests run the same code as programs that
// embed the library, with its reconnects and its balancer.
//
//	goclient watch ENDPOINT PREFIX REVISION    prints every event; requests progress four times a second
//	goclient create ENDPOINT KEY COUNT         COUNT clients create one key at once; prints each result
//	goclient idle ENDPOINT PREFIX CLIENTS EACH CLIENTS connections with EACH watches without events
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

func main() {
	if len(os.Args) < 5 {
		fail(fmt.Errorf("usage: goclient watch|create|idle ENDPOINT KEY NUMBER..."))
	}
	endpoint, key, numbers := os.Args[2], os.Args[3], parse(os.Args[4:])
	switch os.Args[1] {
	case "watch":
		watch(endpoint, key, numbers[0])
	case "create":
		create(endpoint, key, numbers[0])
	case "idle":
		idle(endpoint, key, numbers[0], numbers[1])
	default:
		fail(fmt.Errorf("there is no command %s", os.Args[1]))
	}
}

func connect(endpoint string) *clientv3.Client {
	client, err := clientv3.New(clientv3.Config{
		Endpoints:            []string{endpoint},
		DialTimeout:          5 * time.Second,
		DialKeepAliveTime:    2 * time.Second,
		DialKeepAliveTimeout: 6 * time.Second,
	})
	if err != nil {
		fail(err)
	}
	return client
}

// watch prints `PUT key mod_revision`, `DELETE key mod_revision` and `PROGRESS revision`, a line each, and
// `OVER reason` when the watch ends.
func watch(endpoint, prefix string, revision int) {
	client := connect(endpoint)
	// Progress requests need the same context, because they are sent on the watch's stream.
	ctx := context.Background()
	events := client.Watch(ctx, prefix,
		clientv3.WithPrefix(), clientv3.WithRev(int64(revision)),
		clientv3.WithProgressNotify(), clientv3.WithCreatedNotify())
	go func() {
		for range time.Tick(250 * time.Millisecond) {
			// Fails while the connection is down.
			_ = client.RequestProgress(ctx)
		}
	}()
	for response := range events {
		if response.Created {
			fmt.Println("CREATED", response.Header.Revision)
		} else if response.IsProgressNotify() {
			fmt.Println("PROGRESS", response.Header.Revision)
		}
		for _, event := range response.Events {
			fmt.Println(event.Type, string(event.Kv.Key), event.Kv.ModRevision)
		}
		if err := response.Err(); err != nil {
			fmt.Println("OVER", err)
		}
	}
	fmt.Println("END")
}

// create prints `WON name` or `LOST name winner's-value`, one line per client.
func create(endpoint, key string, count int) {
	clients := make([]*clientv3.Client, count)
	for i := range clients {
		clients[i] = connect(endpoint)
	}
	start := make(chan struct{})
	lines := make([]string, count)
	var all sync.WaitGroup
	for i := range count {
		all.Add(1)
		go func() {
			defer all.Done()
			<-start
			name := fmt.Sprintf("infra%d", i)
			value := fmt.Sprintf("%s=http://127.0.0.1:%d", name, 10000+i)
			result, err := clients[i].Txn(context.Background()).
				If(clientv3.Compare(clientv3.CreateRevision(key), "=", 0)).
				Then(clientv3.OpPut(key, value)).
				Else(clientv3.OpGet(key)).
				Commit()
			switch {
			case err != nil:
				lines[i] = fmt.Sprintln("FAILED", name, err)
			case result.Succeeded:
				lines[i] = fmt.Sprintln("WON", name, value)
			default:
				lines[i] = fmt.Sprintln("LOST", name, string(result.Responses[0].GetResponseRange().Kvs[0].Value))
			}
		}()
	}
	close(start)
	all.Wait()
	for _, line := range lines {
		fmt.Print(line)
	}
}

// idle prints `READY` once every watch is created, and then waits until it is killed.
func idle(endpoint, prefix string, clients, each int) {
	for range clients {
		client := connect(endpoint)
		for range each {
			events := client.Watch(context.Background(), prefix, clientv3.WithPrefix(), clientv3.WithCreatedNotify())
			if response := <-events; !response.Created {
				fail(fmt.Errorf("a watch was not created: %w", response.Err()))
			}
		}
	}
	fmt.Println("READY")
	select {}
}

func parse(texts []string) []int {
	numbers := make([]int, 0, len(texts))
	for _, text := range texts {
		number, err := strconv.Atoi(text)
		if err != nil {
			fail(err)
		}
		numbers = append(numbers, number)
	}
	return numbers
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
