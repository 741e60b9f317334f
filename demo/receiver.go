package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// receiver is a webhook receiver that prints each notification.
type receiver struct {
	listener net.Listener
	server   *http.Server
	out      io.Writer
}

// notification is the part of Alertmanager's webhook, version 4, that the demo prints.
type notification struct {
	Status string `json:"status"`
	Alerts []struct {
		Labels      map[string]string `json:"labels"`
		Annotations map[string]string `json:"annotations"`
	} `json:"alerts"`
}

func startReceiver(ctx context.Context, out io.Writer) (*receiver, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &receiver{listener: listener, out: out}
	r.server = &http.Server{Handler: r, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = r.server.Serve(listener) }() // ends with close
	return r, nil
}

func (r *receiver) url() string  { return "http://" + r.listener.Addr().String() + "/hook" }
func (r *receiver) close() error { return r.server.Close() }

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	var n notification
	if err := json.NewDecoder(http.MaxBytesReader(w, req.Body, 1<<20)).Decode(&n); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	for _, alert := range n.Alerts {
		fmt.Fprintf(r.out, "\n>>> webhook, %s %s: %s\n", alert.Labels["severity"], n.Status, alert.Annotations["summary"])
	}
}
