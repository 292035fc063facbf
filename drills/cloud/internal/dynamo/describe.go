package dynamo

import (
	"strconv"

	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/wire"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// describe serves DescribeTable: the schema, and what makes the table strongly
// consistent. It is a control-plane call and needs no quorum.
func (s *Service) describe(call wire.Call) ([]byte, error) {
	rq := newRequest(call.Operation)
	defer rq.free()
	if err := rq.parse(call.Body); err != nil {
		return nil, err
	}
	t, err := s.table(call.Region, rq.table)
	if err != nil {
		return nil, err
	}
	b := append(make([]byte, 0, 1024), `{"Table":{"TableName":`...)
	b = wire.AppendString(b, t.schema.Name)
	b = append(b, `,"TableArn":`...)
	b = wire.AppendString(b, s.arn(call.Region, t.schema.Name))
	b = append(b, `,"TableStatus":"ACTIVE","MultiRegionConsistency":"STRONG","GlobalTableVersion":"2019.11.21"`...)
	b = append(b, `,"BillingModeSummary":{"BillingMode":"PAY_PER_REQUEST"},"CreationDateTime":`...)
	b = strconv.AppendInt(b, t.created.Unix(), 10)
	b = t.appendSchema(b)
	b = append(b, `,"Replicas":[`...)
	for i, r := range s.cfg.Replicas {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"ReplicaStatus":"ACTIVE","RegionName":`...)
		b = append(wire.AppendString(b, string(r)), '}')
	}
	b = append(b, `],"GlobalTableWitnesses":[{"WitnessStatus":"ACTIVE","RegionName":`...)
	b = wire.AppendString(b, string(s.cfg.Witness))
	return append(b, `}]}}`...), nil
}

func (t *table) appendSchema(b []byte) []byte {
	keys := []struct {
		Key
		role string
	}{{t.schema.Partition, "HASH"}, {t.schema.Sort, "RANGE"}}
	if t.schema.Sort.Name == "" {
		keys = keys[:1]
	}
	b = append(b, `,"KeySchema":[`...)
	for i, k := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(wire.AppendString(append(b, `{"AttributeName":`...), k.Name), `,"KeyType":"`...)
		b = append(append(b, k.role...), `"}`...)
	}
	b = append(b, `],"AttributeDefinitions":[`...)
	for i, k := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(wire.AppendString(append(b, `{"AttributeName":`...), k.Name), `,"AttributeType":"`...)
		b = append(append(b, k.Kind.String()...), `"}`...)
	}
	return append(b, ']')
}

func (s *Service) arn(r dr.Region, table string) string {
	return "arn:aws:dynamodb:" + string(r) + ":" + s.cfg.Account + ":table/" + table
}
