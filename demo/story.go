package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// story tells the loop, act by act. Every act waits for the real thing and
// fails when it does not come; nothing is told that was not seen.
type story struct {
	*stage
	*show

	killedAt   time.Time
	sampleDown int64   // the incident of the crash
	cried      []int64 // the incidents of the false alarm
}

func (s *story) tell(ctx context.Context) error {
	for _, act := range []func(context.Context) error{
		s.healthy, s.fault, s.repair, s.report, s.wolf, s.judge, s.tune, s.quiet,
	} {
		if err := act(ctx); err != nil {
			s.failed(err)
			return err
		}
	}
	return nil
}

func (s *story) healthy(ctx context.Context) error {
	s.title("Everything is healthy")
	for _, look := range []struct{ expr, says string }{
		{`count(up == 1) == 5`, "Prometheus reaches all five targets"},
		{`pg_up == 1 and on() redis_up == 1`, "the exporter sees PostgreSQL and Redis"},
		{`api_up{endpoint="sample"} == 1`, "the sample service answers its probes"},
	} {
		if err := s.awaitSeries(ctx, look.expr); err != nil {
			return err
		}
		s.did("%s", look.says)
	}
	return nil
}

func (s *story) fault(ctx context.Context) error {
	s.title("The sample service crashes")
	if err := s.supervisor.kill(); err != nil {
		return err
	}
	s.killedAt = time.Now()
	s.did("the sample service was killed")
	for _, look := range []struct{ expr, says string }{
		{`ALERTS{alertname="SampleDown",alertstate="pending"}`, "the alert SampleDown is pending"},
		{`ALERTS{alertname="SampleDown",alertstate="firing"}`, "the alert SampleDown is firing"},
	} {
		if err := s.awaitSeries(ctx, look.expr); err != nil {
			return err
		}
		s.did("%s", look.says)
	}
	return nil
}

func (s *story) repair(ctx context.Context) error {
	s.title("Upkeep answers")
	found, err := s.awaitIncident(ctx, "SampleDown", nil)
	if err != nil {
		return err
	}
	s.sampleDown = found.ID
	s.did("incident %d opened, priority %s", found.ID, found.Priority)
	for _, look := range []struct{ state, says string }{
		{"assessing", "confirmed: it is real, asked of Prometheus again"},
		{"mitigating", "the repair began: restart the service"},
		{"verifying", "the service was restarted, the repair is being verified"},
		{"recovered", "verified: the service answers again and the alert has ended"},
	} {
		if _, err := s.awaitState(ctx, found.ID, look.state); err != nil {
			return err
		}
		s.did("%s", look.says)
	}
	s.note("from the crash to a verified recovery: %.1f s", time.Since(s.killedAt).Seconds())
	if n := s.supervisor.asked(); n != 1 {
		return fmt.Errorf("the service was restarted %d times, not once", n)
	}
	return nil
}

func (s *story) report(ctx context.Context) error {
	s.title("The report writes itself")
	if _, err := s.awaitState(ctx, s.sampleDown, "closed"); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(s.Reports, "*.md"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no report in %q: %w", s.Reports, errors.Join(err, os.ErrNotExist))
	}
	doc, err := os.ReadFile(files[0])
	if err != nil {
		return fmt.Errorf("reading the report: %w", err)
	}
	s.did("%s", files[0])
	s.text(string(doc), 18)
	return nil
}

// cries is how often the wolf is cried.
const cries = 2

func (s *story) wolf(ctx context.Context) error {
	s.title("A rule cries wolf: a queue of 105 is nothing, and it pages")
	for range cries {
		if err := s.setQueue(ctx, 105); err != nil {
			return err
		}
		found, err := s.awaitIncident(ctx, "SampleQueueLong", s.cried)
		if err != nil {
			return err
		}
		s.cried = append(s.cried, found.ID)
		s.did("SampleQueueLong paged: incident %d, priority %s", found.ID, found.Priority)
		if err := s.setQueue(ctx, 3); err != nil {
			return err
		}
		if _, err := s.awaitState(ctx, found.ID, "closed"); err != nil {
			return err
		}
		s.did("it went away by itself, incident %d is closed", found.ID)
	}
	return nil
}

func (s *story) judge(ctx context.Context) error {
	s.title("A person judges the pages: false")
	for _, id := range s.cried {
		out, err := s.command(ctx, "upkeep-receiver", "verdict", fmt.Sprint(id), "false_positive",
			"--note=a queue of 105 harms nobody", "--url=http://"+s.Receiver)
		if err != nil {
			return fmt.Errorf("judging incident %d: %w\n%s", id, err, out)
		}
		s.did("upkeep-receiver verdict %d false_positive", id)
	}
	return nil
}

func (s *story) tune(ctx context.Context) error {
	s.title("The rules program learns")
	before, err := os.ReadFile(s.Rules + "/sample.yml")
	if err != nil {
		return err
	}
	out, err := s.command(ctx, "upkeep-rules", "apply", "--strategy=seed",
		"--rules="+s.Rules+"/*.yml", "--tuning="+filepath.Dir(s.Rules)+"/tuning.yml",
		"--receiver.url=http://"+s.Receiver, "--prometheus.url=http://"+s.Prometheus, "--commit", "--reload")
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 2 { // 2: changes made
		return fmt.Errorf("running upkeep-rules apply: it ended with %v, not with exit code 2\n%s", err, out)
	}
	s.did("upkeep-rules apply --strategy seed --commit --reload")
	after, err := os.ReadFile(s.Rules + "/sample.yml")
	if err != nil {
		return err
	}
	if want := strings.Replace(string(before), "> 100 ", "> 120 ", 1); string(after) != want {
		return fmt.Errorf("the rule file was not changed in exactly one number:\n%s", after)
	}
	s.did("the rule file changed in one number, and in no other byte")
	diff, err := s.git(ctx, "show", "--format=commit %h%n%n%w(0,2,2)%B", "--unified=1", "HEAD")
	if err != nil {
		return err
	}
	s.text(diff, 40)
	return await(ctx, "Prometheus to have the new threshold", func(ctx context.Context) (bool, error) {
		groups, err := s.prom.Rules(ctx)
		if err != nil {
			return false, err
		}
		for _, g := range groups {
			for _, r := range g.Rules {
				if r.Name == "SampleQueueLong" && r.Query == "sample_queue_length > 120" {
					s.did("Prometheus has reloaded: %s", r.Query)
					return true, nil
				}
			}
		}
		return false, nil
	})
}

func (s *story) quiet(ctx context.Context) error {
	s.title("The same queue again: nobody is woken")
	if err := s.setQueue(ctx, 105); err != nil {
		return err
	}
	// Twice the rule's hold of real evaluations at the new level, all quiet.
	if err := s.awaitSeries(ctx, `count_over_time((sample_queue_length == 105)[5s:1s]) >= 4`); err != nil {
		return err
	}
	series, err := s.prom.Query(ctx, `ALERTS{alertname="SampleQueueLong"}`, time.Time{})
	if err != nil {
		return err
	}
	list, err := s.incidents(ctx, "SampleQueueLong")
	if err != nil {
		return err
	}
	if len(series) > 0 || slices.ContainsFunc(list, func(r record) bool { return !slices.Contains(s.cried, r.ID) }) {
		return fmt.Errorf("the alert still fires: %v, incidents %v", series, list)
	}
	s.did("a queue of 105 for seconds, and no alert")
	return s.setQueue(ctx, 3)
}

// command runs one of the programs that were built.
func (s *story) command(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, s.program(name), args...)
	cmd.Dir = filepath.Dir(s.Rules)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// pages prints where to look.
func (s *story) pages() {
	s.title("Look around")
	for _, p := range []struct{ what, url string }{
		{"Upkeep's pages", "http://" + s.Receiver + "/"},
		{"Prometheus", "http://" + s.Prometheus + "/alerts"},
		{"Alertmanager", "http://" + s.Alertmanager + "/"},
		{"the exporter", "http://" + s.Exporter + "/"},
		{"the sample service", "http://" + s.Sample + "/metrics"},
	} {
		s.note("%-20s %s", p.what, p.url)
	}
}
