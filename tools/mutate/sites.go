package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// site is a place of a file where a mistake can be made.
type site struct {
	file     *source
	from, to int // offsets
	line     int
	// outer reports whether the variants keep the text of the whole range within them, so that they can contain other
	// mutants of that range.
	outer    bool
	variants []variant
}

// variant is a mistake. Its write returns the text that replaces the site, with a switch that is named id. The text of a
// part of the file comes from part, so that mutants can be nested.
type variant struct {
	before, after string // for people
	write         func(id int, part func(from, to int) string) string
}

var comparisons = map[token.Token][]token.Token{
	token.LSS: {token.LEQ, token.GEQ}, token.LEQ: {token.LSS, token.GTR},
	token.GTR: {token.GEQ, token.LEQ}, token.GEQ: {token.GTR, token.LSS},
	token.EQL: {token.NEQ}, token.NEQ: {token.EQL},
}

var arithmetic = map[token.Token]token.Token{
	token.ADD: token.SUB, token.SUB: token.ADD, token.MUL: token.QUO, token.QUO: token.MUL, token.REM: token.MUL,
	token.AND: token.OR, token.OR: token.AND, token.XOR: token.AND, token.AND_NOT: token.AND,
	token.SHL: token.SHR, token.SHR: token.SHL,
	token.ADD_ASSIGN: token.SUB_ASSIGN, token.SUB_ASSIGN: token.ADD_ASSIGN,
	token.MUL_ASSIGN: token.QUO_ASSIGN, token.QUO_ASSIGN: token.MUL_ASSIGN, token.REM_ASSIGN: token.MUL_ASSIGN,
	token.AND_ASSIGN: token.OR_ASSIGN, token.OR_ASSIGN: token.AND_ASSIGN, token.XOR_ASSIGN: token.AND_ASSIGN,
	token.AND_NOT_ASSIGN: token.AND_ASSIGN, token.SHL_ASSIGN: token.SHR_ASSIGN, token.SHR_ASSIGN: token.SHL_ASSIGN,
}

// finder collects the sites of a file.
type finder struct {
	file  *source
	info  *types.Info
	pkg   *types.Package
	found []*site
}

// find returns the sites of a file that type-checks.
func find(file *source, info *types.Info, pkg *types.Package) []*site {
	f := finder{file: file, info: info, pkg: pkg}
	for _, decl := range file.parsed.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			if decl.Body != nil {
				f.function(decl.Type, decl.Body)
			}
		case *ast.GenDecl:
			if decl.Tok == token.VAR {
				f.walk(decl, nil)
			}
		}
	}
	return f.found
}

// function walks a function's body; returns in it have the function's results.
func (f *finder) function(t *ast.FuncType, body *ast.BlockStmt) { f.walk(body, t.Results) }

func (f *finder) walk(root ast.Node, results *ast.FieldList) {
	ast.Inspect(root, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			f.function(n.Type, n.Body)
			return false
		case *ast.GenDecl:
			return n.Tok == token.VAR
		case *ast.BlockStmt:
			f.statements(n.List, results)
		case *ast.CaseClause:
			f.statements(n.Body, results)
		case *ast.CommClause:
			f.statements(n.Body, results)
		case *ast.IfStmt:
			f.add(n.Cond, true, f.wrap(n.Cond, "!("+f.text(n.Cond)+")", "(mutant__(%d) != (%s))"))
		case *ast.BinaryExpr:
			f.binary(n)
		case *ast.BasicLit:
			f.literal(n)
		}
		return true
	})
}

func (f *finder) add(n ast.Node, outer bool, variants ...variant) {
	from, to := f.file.offset(n.Pos()), f.file.offset(n.End())
	f.found = append(f.found, &site{file: f.file, from: from, to: to, line: f.file.line(n.Pos()), outer: outer, variants: variants})
}

func (f *finder) text(n ast.Node) string {
	return string(f.file.content[f.file.offset(n.Pos()):f.file.offset(n.End())])
}

// wrap is a variant whose text has the switch's id and the node's own text at the two places of a format.
func (f *finder) wrap(n ast.Node, after, format string) variant {
	return variant{before: f.text(n), after: after, write: func(id int, part func(int, int) string) string {
		return fmt.Sprintf(format, id, part(f.file.offset(n.Pos()), f.file.offset(n.End())))
	}}
}

func (f *finder) binary(n *ast.BinaryExpr) {
	offset := f.file.offset
	operands := func(part func(int, int) string) (string, string) {
		return part(offset(n.X.Pos()), offset(n.X.End())), part(offset(n.Y.Pos()), offset(n.Y.End()))
	}
	after := func(op token.Token) string { return f.text(n.X) + " " + op.String() + " " + f.text(n.Y) }
	either := func(op token.Token) variant {
		return variant{before: f.text(n), after: after(op), write: func(id int, part func(int, int) string) string {
			x, y := operands(part)
			return fmt.Sprintf("(mutant__(%d) && ((%s) %s (%s)) || !mutant__(%d) && ((%s) %s (%s)))", id, x, op, y, id, x, n.Op, y)
		}}
	}
	if swaps := comparisons[n.Op]; swaps != nil {
		var variants []variant
		for _, op := range swaps {
			variants = append(variants, either(op))
		}
		f.add(n, false, variants...)
		return
	}
	switch n.Op {
	case token.LAND:
		f.add(n, false, either(token.LOR))
	case token.LOR:
		f.add(n, false, either(token.LAND))
	default:
		op, ok := arithmetic[n.Op]
		t := f.typeOf(n)
		if !ok || t == "" || strings.HasSuffix(t, "string") {
			return
		}
		f.add(n, false, variant{before: f.text(n), after: after(op), write: func(id int, part func(int, int) string) string {
			x, y := operands(part)
			return fmt.Sprintf("mutant__%d[%s](%d, %s, %s)", int(n.Op), t, id, x, y)
		}})
	}
}

func (f *finder) literal(n *ast.BasicLit) {
	t := f.typeOf(n)
	if n.Kind != token.INT || t == "" {
		return
	}
	var variants []variant
	for _, delta := range []string{"+1", "-1"} {
		variants = append(variants, f.wrap(n, n.Value+delta, "mutant__int["+t+"](%d, %s, "+delta+")"))
	}
	f.add(n, true, variants...)
}

// typeOf is an expression's type as code, and empty where there is none.
func (f *finder) typeOf(e ast.Expr) string {
	t := f.info.TypeOf(e)
	if t == nil {
		return ""
	}
	return types.TypeString(types.Default(t), func(p *types.Package) string {
		if p == f.pkg {
			return ""
		}
		return p.Name()
	})
}

func (f *finder) statements(list []ast.Stmt, results *ast.FieldList) {
	for _, s := range list {
		switch s := s.(type) {
		case *ast.ExprStmt:
			if call, ok := s.X.(*ast.CallExpr); ok && !f.excluded(call) {
				f.remove(s)
			}
		case *ast.DeferStmt:
			if !f.excluded(s.Call) {
				f.remove(s)
			}
		case *ast.IncDecStmt:
			f.remove(s)
		case *ast.AssignStmt:
			f.assignment(s)
		case *ast.ReturnStmt:
			f.zero(s, results)
		case *ast.BranchStmt:
			f.branch(s)
		}
	}
}

func (f *finder) remove(s ast.Stmt) {
	f.add(s, true, f.wrap(s, "removed", "if !mutant__(%d) { %s }"))
}

// excluded reports whether a call stays: locks, whose removal only a time-out would show, and the log.
func (f *finder) excluded(call *ast.CallExpr) bool {
	s, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	if slices.Contains([]string{"Lock", "Unlock", "RLock", "RUnlock"}, s.Sel.Name) {
		return true
	}
	t := f.info.TypeOf(s.X)
	return t != nil && strings.HasSuffix(t.String(), "zap.Logger")
}

func (f *finder) assignment(s *ast.AssignStmt) {
	if s.Tok == token.DEFINE {
		return
	}
	if !slices.ContainsFunc(s.Lhs, func(e ast.Expr) bool { id, ok := e.(*ast.Ident); return !ok || id.Name != "_" }) {
		return // it only says that something is not used
	}
	f.remove(s)
	op, ok := arithmetic[s.Tok]
	if !ok {
		return
	}
	offset := f.file.offset
	x, y := s.Lhs[0], s.Rhs[0]
	after := f.text(x) + " " + op.String() + " " + f.text(y)
	f.add(s, false, variant{before: f.text(s), after: after, write: func(id int, part func(int, int) string) string {
		px, py := part(offset(x.Pos()), offset(x.End())), part(offset(y.Pos()), offset(y.End()))
		return fmt.Sprintf("if mutant__(%d) { %s %s %s } else { %s %s %s }", id, px, op, py, px, s.Tok, py)
	}})
}

// zero replaces the values of a return by zero values, unless they are.
func (f *finder) zero(s *ast.ReturnStmt, results *ast.FieldList) {
	if results == nil || len(s.Results) == 0 {
		return
	}
	var zeros []string
	for _, field := range results.List {
		for range max(1, len(field.Names)) {
			zeros = append(zeros, "*new("+f.text(field.Type)+")")
		}
	}
	if !slices.ContainsFunc(s.Results, func(e ast.Expr) bool { return !isZero(e) }) {
		return
	}
	format := "if mutant__(%d) { return " + strings.ReplaceAll(strings.Join(zeros, ", "), "%", "%%") + " }; %s"
	f.add(s, true, f.wrap(s, "return of zero values", format))
}

func isZero(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name == "nil" || e.Name == "false"
	case *ast.BasicLit:
		return e.Value == "0" || e.Value == `""`
	case *ast.CompositeLit:
		return len(e.Elts) == 0
	}
	return false
}

func (f *finder) branch(s *ast.BranchStmt) {
	other := map[token.Token]string{token.BREAK: "continue", token.CONTINUE: "break"}[s.Tok]
	if other == "" || s.Label != nil {
		return
	}
	f.add(s, true, f.wrap(s, other, "if mutant__(%d) { "+other+" }; %s"))
}
