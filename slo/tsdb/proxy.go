package tsdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/gate"
	"github.com/slowburn/slowburn/slo/tsdb/internal/bounds"
)

// forwarded are the headers of a request that reach the remote Prometheus. The caller's cookies, credentials and tenant's header
// do not: the remote knows the gateway only by remote::auth and remote::headers.
var forwarded = []string{"Accept", "Accept-Encoding", "Content-Length", "Content-Type", "User-Agent"}

// newProxy passes requests on to the remote API, below the path of its endpoint.
func (r *remote) newProxy(endpoint *url.URL) http.Handler {
	proxy := &httputil.ReverseProxy{
		Transport: r.client.Transport,
		Rewrite: func(pr *httputil.ProxyRequest) {
			pr.SetURL(endpoint)
			pr.Out.Header = http.Header{}
			for _, name := range forwarded {
				if values := pr.In.Header.Values(name); len(values) > 0 {
					pr.Out.Header[name] = values
				}
			}
		},
		ModifyResponse: checkResponse,
		ErrorLog:       zap.NewStdLog(r.logger),
		ErrorHandler: func(w http.ResponseWriter, req *http.Request, err error) {
			code := http.StatusBadGateway
			if req.Context().Err() != nil {
				code = http.StatusGatewayTimeout
			}
			r.logger.Debug("remote Prometheus failed to serve a request", zap.String("path", req.URL.Path), zap.Error(err))
			writeError(w, code, errorUnavailable, fmt.Sprintf("the remote Prometheus at %s: %v", r.endpoint, err))
		},
	}
	return proxy
}

// bounded passes on requests whose expressions are within the limits, through the gate.
func (r *remote) bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if err := readForm(req); err != nil {
			writeError(w, http.StatusBadRequest, errorBadData, err.Error())
			return
		}
		if err := bounds.Texts(slices.Concat(req.Form["query"], req.Form["match[]"]), r.maxLength); err != nil {
			writeError(w, http.StatusBadRequest, errorBadData, err.Error())
			return
		}
		ctx, cancel := context.WithTimeout(req.Context(), r.timeout)
		defer cancel()
		turn, err := r.gate.Enter(ctx)
		var busy *gate.Busy
		switch {
		case errors.As(err, &busy):
			busy.Header(w.Header())
			writeError(w, http.StatusServiceUnavailable, errorUnavailable, err.Error())
			return
		case err != nil: // the client has gone
			writeError(w, http.StatusGatewayTimeout, errorUnavailable, err.Error())
			return
		}
		defer turn.Leave()
		next.ServeHTTP(w, req.WithContext(ctx))
	})
}

// readForm reads the parameters, and puts those that were posted back into the body.
func readForm(req *http.Request) error {
	if err := req.ParseForm(); err != nil {
		return fmt.Errorf("the parameters cannot be read: %w", err)
	}
	if req.Method != http.MethodPost {
		return nil
	}
	const form = "application/x-www-form-urlencoded"
	if media, _, _ := strings.Cut(req.Header.Get("Content-Type"), ";"); !strings.EqualFold(strings.TrimSpace(media), form) {
		return fmt.Errorf("a body of type %q is not read: post the parameters as %s", media, form)
	}
	body := req.PostForm.Encode()
	req.Body, req.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	req.Header.Set("Content-Length", strconv.Itoa(len(body)))
	return nil
}

// checkResponse refuses answers that concern the gateway and the remote only, a login or a redirect that a browser could not
// follow, and removes cookies and CORS headers.
func checkResponse(response *http.Response) error {
	switch code := response.StatusCode; {
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return fmt.Errorf("it answers %s: look at remote::auth and remote::headers", response.Status)
	case code >= 300 && code < 400 && code != http.StatusNotModified:
		return fmt.Errorf("it answers %s to %s: set remote::endpoint to the address that it redirects to",
			response.Status, response.Header.Get("Location"))
	}
	for _, name := range []string{
		"Set-Cookie", "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials",
		"Access-Control-Allow-Headers", "Access-Control-Allow-Methods", "Access-Control-Expose-Headers",
	} {
		response.Header.Del(name)
	}
	return nil
}
