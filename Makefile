# `make run` and `make test` are all that a newcomer needs; see README.md.
#
#   HOST, PORT   where the API listens (127.0.0.1, 9696)
#   EDGES        real, or memory: the whole appliance without root and Open vSwitch
#   STATE        database, log and pid file of `make run` (.run in the checkout; an installed quantumd uses
#                /var/lib/quantumd and /run/quantumd)
#   OVS_RUN_DIR  where Open vSwitch has its sockets
#   CONFIG       a settings file to read before the variables above
#   PYTHON       what environments are made with (the distribution's if that is 3.11 or later, else python3)
#   TESTS        what `make test` runs; PYTEST adds options to it

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# Compiled modules make a start twice as fast; some environments forbid to keep them.
unexport PYTHONDONTWRITEBYTECODE

# The distribution's Python before one that somebody built: it is compiled with profiles, and a third faster.
PYTHON ?= $(or $(shell /usr/bin/python3 -c 'import sys; print(sys.executable * (sys.version_info >= (3, 11)))' \
	2>/dev/null),python3)
HOST ?= 127.0.0.1
PORT ?= 9696
EDGES ?= real
STATE ?= $(CURDIR)/.run
OVS_RUN_DIR ?= /var/run/openvswitch
CONFIG ?=
TESTS ?= tests
PYTEST ?=

VENV := $(CURDIR)/.venv/main
CLIENT := $(CURDIR)/.venv/client
ORACLE := $(CURDIR)/.venv/oracle
KEYSTONE := $(CURDIR)/.venv/keystone
NOVA := $(CURDIR)/.venv/nova
FUZZ := $(CURDIR)/.venv/fuzz
ANSIBLE := $(CURDIR)/.venv/ansible
CEILOMETER := $(CURDIR)/.venv/ceilometer
CLOUDINIT := $(CURDIR)/.venv/cloudinit
HORIZON := $(CURDIR)/.venv/horizon
ENVIRONMENTS := $(CLIENT) $(ORACLE) $(KEYSTONE) $(NOVA) $(ANSIBLE) $(CEILOMETER) $(FUZZ) $(CLOUDINIT) \
	$(HORIZON)
PIP_OPTIONS := --quiet --disable-pip-version-check --no-input
# Of what only tests import most is never imported: to compile all of it takes three times as long as to install it.
# The lists are whole, so nothing has to be resolved.
PIP_TEST_OPTIONS := $(PIP_OPTIONS) --no-compile --no-deps

RUN_PACKAGES := openvswitch-switch libnftables1 iproute2 curl
DEMO_PACKAGES := $(RUN_PACKAGES) ethtool iputils-ping udhcpc
DATABASE_PACKAGES := postgresql mariadb-server
BROKER_PACKAGES := rabbitmq-server
PROVIDER_PACKAGES := kea-dhcp6-server
BENCH_PACKAGES := iperf3
TEST_PACKAGES := $(DEMO_PACKAGES) python3-venv isc-dhcp-client kea-admin bind9-dnsutils strace systemd tcpdump nftables \
	conntrack chromium-headless-shell

APPLIANCE := env VENV='$(VENV)' STATE='$(STATE)' HOST='$(HOST)' PORT='$(PORT)' EDGES='$(EDGES)' \
	OVS_RUN_DIR='$(OVS_RUN_DIR)' CONFIG='$(CONFIG)' conf/appliance

.PHONY: environments help run stop demo test soak bench bench-multihost lint clean packages-run packages-demo packages-bench packages-test

help:
	@echo 'make run     set everything up and start the appliance   (make run EDGES=memory: without root and OVS)'
	@echo 'make demo    two VMs get their leases and ping each other'
	@echo 'make test    install what tests need and run all of them'
	@echo 'make stop    stop the appliance'
	@echo 'make soak    the tests with full counts      make bench   the figures      make lint   ruff and mypy'
	@echo 'make clean   remove environments, caches and the state of `make run`'

run: packages-run $(VENV)/.run-done
	@$(APPLIANCE) start

stop:
	@$(APPLIANCE) stop

demo: packages-demo $(VENV)/.run-done $(CLIENT)/.done
	@$(VENV)/bin/python -m bench.demo --url http://$(HOST):$(PORT) --ovs-run-dir $(OVS_RUN_DIR) --client $(CLIENT)

# More at once than there are cores: each waits for packages most of its time.
environments: packages-test
	@$(MAKE) --no-print-directory --jobs=4 $(VENV)/.test-done $(ENVIRONMENTS:%=%/.done)

test: packages-test
	@$(MAKE) --no-print-directory --jobs=4 lint $(ENVIRONMENTS:%=%/.done)
	@$(VENV)/bin/python -m tests.run $(PYTEST) $(TESTS)

soak: export QUANTUMD_SOAK = 1
soak: environments
	@# Of a test that takes an hour its own time limit is the one that counts.
	@$(VENV)/bin/python -m tests.run -o faulthandler_timeout=7200 $(PYTEST) $(TESTS)

bench: packages-bench $(VENV)/.test-done
	@for program in $(filter-out bench/__init__.py bench/demo.py,$(sort $(wildcard bench/*.py))) bench/bars; do \
		name=$${program##*/}; echo "== $$program"; $(VENV)/bin/python -m "bench.$${name%.py}"; done

bench-multihost: packages-bench $(VENV)/.test-done
	@$(VENV)/bin/python -m bench.bars multihost; $(VENV)/bin/python -m bench.bus
	@$(VENV)/bin/python -m pytest tests/functional/test_api_processes.py

lint: $(VENV)/.test-done
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/mypy

clean: stop
	rm -rf .venv .run .mypy_cache .pytest_cache .ruff_cache .hypothesis build *.egg-info _trial_temp*

# Debian packages: one look at the package database, apt only when something is missing.
packages-run:
ifeq ($(EDGES),real)
	@conf/packages $(RUN_PACKAGES)
endif
packages-demo:
	@conf/packages $(DEMO_PACKAGES)
packages-bench: packages-test
	@conf/packages --unstarted $(BENCH_PACKAGES)
packages-test:
	@conf/packages $(TEST_PACKAGES)
	@conf/packages --unstarted $(DATABASE_PACKAGES) $(BROKER_PACKAGES) $(PROVIDER_PACKAGES)

# Environments: made once, and again when their exact versions change.
define make_environment
@echo 'setting up $(notdir $(@D))...'
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "quantumd needs Python 3.11 or later")'
@$(PYTHON) -c 'import ensurepip' 2>/dev/null || conf/packages python3-venv
@test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
endef

$(VENV)/.run-done: constraints/run.txt setup.py quantumd/version.py
	$(make_environment)
	@$(@D)/bin/pip install $(PIP_OPTIONS) -r constraints/run.txt
	@$(@D)/bin/pip install $(PIP_OPTIONS) --no-deps --config-settings editable_mode=compat -e .
	@touch $@

$(VENV)/.test-done: constraints/test.txt $(VENV)/.run-done
	@echo 'setting up what the tests need...'
	@$(@D)/bin/pip install $(PIP_OPTIONS) -r constraints/test.txt
	@touch $@

$(CLIENT)/.done: constraints/client.txt
	$(make_environment)
	@$(@D)/bin/pip install $(PIP_TEST_OPTIONS) -r constraints/client.txt
	@touch $@

$(ORACLE)/.done: constraints/oracle.txt
	$(make_environment)
	@$(@D)/bin/pip install $(PIP_TEST_OPTIONS) -r constraints/oracle.txt
	@touch $@

$(KEYSTONE)/.done: constraints/keystone.txt
	$(make_environment)
	@$(@D)/bin/pip install $(PIP_TEST_OPTIONS) -r constraints/keystone.txt
	@touch $@

$(NOVA)/.done: constraints/nova.txt
	$(make_environment)
	@$(@D)/bin/pip install $(PIP_TEST_OPTIONS) -r constraints/nova.txt
	@touch $@

$(FUZZ)/.done: constraints/fuzz.txt
	$(make_environment)
	@$(@D)/bin/pip install $(PIP_TEST_OPTIONS) -r constraints/fuzz.txt
	@touch $@

$(ANSIBLE)/.done: constraints/ansible.txt
	$(make_environment)
	@$(@D)/bin/pip install $(PIP_TEST_OPTIONS) -r constraints/ansible.txt
	@touch $@

$(CEILOMETER)/.done: constraints/ceilometer.txt
	$(make_environment)
	@$(@D)/bin/pip install $(PIP_TEST_OPTIONS) -r constraints/ceilometer.txt
	@touch $@

# With its static files, which take 15 s to gather and compile.
$(HORIZON)/.done: constraints/horizon.txt tests/bed/horizon_settings.py conf/horizon/_50_quantumd.py
	$(make_environment)
	@$(@D)/bin/pip install $(PIP_TEST_OPTIONS) -r constraints/horizon.txt
	@for task in 'collectstatic --noinput' compress; do DJANGO_SETTINGS_MODULE=tests.bed.horizon_settings \
		$(@D)/bin/python -W ignore -m django $$task >$(@D)/static.log 2>&1 || { cat $(@D)/static.log; exit 1; }; done
	@touch $@

# Unpacked and not installed: an installed cloud-init takes the machine for a new VM when it boots. Where the
# distribution has none its test is skipped.
$(CLOUDINIT)/.done: constraints/cloudinit.txt
	$(make_environment)
	@$(@D)/bin/pip install $(PIP_TEST_OPTIONS) -r constraints/cloudinit.txt
	@cd $(@D) && rm -rf unpacked cloud-init_*.deb && { apt-get download --quiet=2 cloud-init 2>/dev/null \
		&& dpkg -x cloud-init_*.deb unpacked && rm cloud-init_*.deb \
		&& cp -r unpacked/usr/lib/python3/dist-packages/cloudinit lib/python3*/site-packages/ \
		|| { echo 'cloud-init is not to be had'; rm -f bin/python; }; }
	@touch $@
