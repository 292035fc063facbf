package dr_test

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// every sets all hooks of a trace to count their calls.
func every(calls map[string]int) *dr.Trace {
	tr := &dr.Trace{}
	v := reflect.ValueOf(tr).Elem()
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		v.Field(i).Set(reflect.MakeFunc(v.Field(i).Type(), func([]reflect.Value) []reflect.Value {
			calls[name]++
			return nil
		}))
	}
	return tr
}

// call calls the On method of every hook once.
func call(tr *dr.Trace) (hooks int) {
	v := reflect.ValueOf(tr)
	fields := reflect.TypeFor[dr.Trace]()
	for i := range fields.NumField() {
		on := v.MethodByName("On" + fields.Field(i).Name)
		on.Call([]reflect.Value{reflect.Zero(on.Type().In(0))})
	}
	return fields.NumField()
}

func TestJoinCallsEveryHookOfEveryTrace(t *testing.T) {
	a, b := map[string]int{}, map[string]int{}
	hooks := call(dr.Join(every(a), nil, &dr.Trace{}, every(b)))
	require.Len(t, a, hooks)
	require.Equal(t, a, b)
	for name, n := range a {
		require.Equal(t, 1, n, name)
	}
}

func TestATraceWithoutHooksIsSilent(t *testing.T) {
	require.NotPanics(t, func() { call(nil) })
	require.NotPanics(t, func() { call(&dr.Trace{}) })
}
