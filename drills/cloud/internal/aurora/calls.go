package aurora

import (
	"context"
	"strings"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/wire"
)

// failoverCall serves FailoverGlobalCluster. It has exactly four parameters
// and no client token; without AllowDataLoss it is a switchover.
func (s *Service) failoverCall(call wire.Call, f *wire.Form, x *wire.XML) error {
	loss, lossGiven, err := f.Bool("AllowDataLoss")
	if err != nil {
		return err
	}
	over, overGiven, err := f.Bool("Switchover")
	if err != nil {
		return err
	}
	if lossGiven && overGiven {
		return wire.Refuse(400, "InvalidParameterCombination", "AllowDataLoss and Switchover can't be specified together")
	}
	if overGiven && !over {
		// Unconfirmed: an explicit false says neither operation.
		return wire.Refuse(400, "InvalidParameterValue", "Switchover can't be false; omit it or set AllowDataLoss")
	}
	return s.accept(call, f, x, loss)
}

// switchoverCall serves SwitchoverGlobalCluster.
func (s *Service) switchoverCall(call wire.Call, f *wire.Form, x *wire.XML) error {
	return s.accept(call, f, x, false)
}

// accept checks an operation, marks it pending and queues it.
func (s *Service) accept(call wire.Call, f *wire.Form, x *wire.XML, dataLoss bool) error {
	id, err := f.Required("GlobalClusterIdentifier")
	if err != nil {
		return err
	}
	arn, err := f.Required("TargetDbClusterIdentifier")
	if err != nil {
		return err
	}
	if err := f.Unknown(); err != nil {
		return err
	}
	if !strings.EqualFold(id, s.cfg.GlobalCluster) {
		return s.noGlobalCluster(id)
	}
	target, ok := s.member(arn) // a bare name is not found: only the ARN names the Region
	if !ok {
		return noCluster(arn)
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.refusal(call, target, dataLoss); err != nil {
		return err
	}
	op := &Operation{
		Kind: "switchover", AcceptedAt: time.Now(),
		From: s.cfg.Members[s.truth.writer].Region, To: s.cfg.Members[target].Region,
	}
	from, run := s.truth.writer, s.switchover
	op.Drawn = s.cfg.Switchover(s.cfg.Rand)
	status := switchingOver
	if dataLoss {
		op.Kind, run, status = "failover", s.failover, failingOver
		op.Drawn = s.cfg.Promotion(s.cfg.Rand)
	}
	if err := s.start(func(ctx context.Context) { run(ctx, op, from, target) }); err != nil {
		return err
	}
	s.ops = append(s.ops, op)
	s.change(call.Region, func(st *state) {
		st.status = status
		st.failover = &failoverState{status: pending, from: from, to: target, dataLoss: dataLoss}
	})
	s.globalCluster(x, "GlobalCluster", s.truth)
	return nil
}

// refusal says why an operation can't be accepted; the caller holds the lock.
// The codes are the modeled ones; which of them AWS picks is unconfirmed for
// the busy, already-writer, wrong-Region and not-connected cases.
func (s *Service) refusal(call wire.Call, target int, dataLoss bool) error {
	st, m := s.truth, s.cfg.Members[target]
	writer := s.cfg.Members[st.writer]
	where, role := writer.Region, "primary"
	if dataLoss {
		where, role = m.Region, "secondary to be promoted"
	}
	state := func(format string, args ...any) error {
		return wire.Refuse(400, "InvalidGlobalClusterStateFault", format, args...)
	}
	switch {
	case st.failover != nil:
		return state("Global cluster %s has a %s in progress", s.cfg.GlobalCluster, st.failover.status)
	case target == st.writer:
		return state("%s is already the primary of global cluster %s", m.Cluster, s.cfg.GlobalCluster)
	case call.Region != where:
		return wire.Refuse(400, "InvalidParameterValue", "This operation must be called in the Region of the %s, %s, not in %s", role, where, call.Region)
	case st.status != available:
		return state("Global cluster %s is in status %s", s.cfg.GlobalCluster, st.status)
	case len(m.Instances) == 0, st.members[target].headless:
		return wire.Refuse(400, "InvalidDBClusterStateFault", "%s is headless: it has no DB instance to promote", m.Cluster)
	case st.members[target].status != available:
		return wire.Refuse(400, "InvalidDBClusterStateFault", "%s is in status %s", m.Cluster, st.members[target].status)
	case st.members[target].sync != connected:
		return state("%s is not synchronized: %s", m.Cluster, st.members[target].sync)
	case m.EngineVersion != writer.EngineVersion:
		// Aurora MySQL tolerates no difference, not even of the patch level.
		return state("Engine versions differ: %s has %s, %s has %s", writer.Cluster, writer.EngineVersion, m.Cluster, m.EngineVersion)
	}
	return nil
}

// rebootCall serves RebootDBInstance.
func (s *Service) rebootCall(call wire.Call, f *wire.Form, x *wire.XML) error {
	id, err := f.Required("DBInstanceIdentifier")
	if err != nil {
		return err
	}
	force, _, err := f.Bool("ForceFailover")
	if err == nil {
		err = f.Unknown()
	}
	if err != nil {
		return err
	}
	if force {
		return wire.Refuse(400, "InvalidParameterCombination", "ForceFailover can't be specified for an Aurora DB instance; use FailoverDBCluster")
	}
	for i, m := range s.cfg.Members {
		for j, instance := range m.Instances {
			if m.Region == call.Region && strings.EqualFold(id, instance) {
				return s.acceptReboot(x, i, j)
			}
		}
	}
	return noInstance(id)
}

func (s *Service) acceptReboot(x *wire.XML, i, j int) error {
	m := s.cfg.Members[i]
	s.mu.Lock()
	defer s.mu.Unlock()
	if status := s.truth.members[i].instances[j]; status != available {
		return wire.Refuse(400, "InvalidDBInstanceState", "Instance %s is in status %s and can't be rebooted", m.Instances[j], status)
	}
	if err := s.start(func(ctx context.Context) { s.reboot(ctx, i, j) }); err != nil {
		return err
	}
	s.change(m.Region, func(st *state) { st.members[i].instances[j] = rebooting })
	s.instance(x, s.truth, i, j)
	return nil
}
